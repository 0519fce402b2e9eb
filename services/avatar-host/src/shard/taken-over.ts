/**
 * What the last owner of a shard may have owed to others when it died. A source that was due has journalled "the job is out";
 * whether the job had reached the queue nobody knows, and by its alarm it would be two minutes until it goes again. So the
 * sources whose alarm is that near get a turn, spread over 10 s, in which the job goes again.
 */
import type { Background } from "@tidings/runtime";
import { alarmsBetween, avatarIn } from "./alarms.ts";
import { SpreadRound } from "./spread-round.ts";
import type { RowReader } from "./turn.ts";

const SPREAD_MS = 10_000;
/** The alarm of a source whose job is out is at most this far away, unless results were late already (milliseconds). */
const WITHIN_MS = 120_000;

export class TakenOver {
  readonly #round: SpreadRound;

  /** `give` gives each of the sources a turn in which it hears that its shard was taken over; `random` is in [0, 1). */
  constructor(
    self: string,
    reader: RowReader,
    give: (sources: readonly string[]) => void,
    background: Pick<Background, "run">,
    random: () => number = Math.random,
  ) {
    this.#round = new SpreadRound({
      list: (range) => reader.list(self, range),
      nameOf: (key) => sourceIn(key),
      give,
      background,
      random,
    });
  }

  /** Begins at `nowAt`, epoch milliseconds. What is due by then rings by itself. */
  start(nowAt: number): void {
    this.#round.start(alarmsBetween(nowAt, nowAt + WITHIN_MS + 1), SPREAD_MS);
  }

  close(): void {
    this.#round.close();
  }
}

/** User names contain no dot, and users have no jobs. */
function sourceIn(key: string): string | null {
  const avatar = avatarIn(key);
  return avatar.includes(".") ? avatar : null;
}
