import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage, StageOptions } from "../stage.ts";

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** What must hold, as a sentence. */
  readonly sentence: string;
  /** What its installation must be like, where it is not as the others': then it is played only when it is named, alone. */
  readonly needs?: Pick<StageOptions, "hosts" | "checkpointSeconds">;
  /** Plays it; resolves to the violations that it found. What rejects has failed as well. */
  play(stage: Stage, random: Random): Promise<Violation[]>;
  /** For `--long`: with its fault in full length, where that takes many minutes. */
  playLong?(stage: Stage, random: Random): Promise<Violation[]>;
}
