/** The pure protocol as one value, so that the model can be run with a rule broken. */
import { isTrimmable, lastToTrim } from "../record.ts";
import { isFileInHistory, readRecord } from "../replay.ts";
import { nextStep } from "../tenure.ts";
import { advance } from "../writing.ts";

export interface Rules {
  readonly advance: typeof advance;
  readonly readRecord: typeof readRecord<string>;
  readonly isTrimmable: typeof isTrimmable;
  readonly lastToTrim: typeof lastToTrim;
  readonly isFileInHistory: typeof isFileInHistory;
  readonly nextStep: typeof nextStep;
  /** The router's rule: which claim it grants when it has seen `highest`, `isSameHost` telling who had it. */
  readonly grants: (epoch: number, highest: number, isSameHost: boolean) => boolean;
  /** The drain is over when nothing is on its way to the journal and nothing waits to be said. */
  readonly isDrained: (isIdle: boolean, unsaid: number) => boolean;
}

export const RULES: Rules = {
  advance,
  readRecord,
  isTrimmable,
  lastToTrim,
  isFileInHistory,
  nextStep,
  grants: (epoch, highest, isSameHost) => epoch > highest || (epoch === highest && isSameHost),
  isDrained: (isIdle, unsaid) => isIdle && unsaid === 0,
};
