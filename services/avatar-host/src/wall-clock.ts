import type { Log } from "@tidings/runtime";
import type { Clocks } from "./ownership/vigil.ts";

/** Less is a clock that is being kept right (milliseconds). */
const WORTH_SAYING_MS = 5_000;

/** Says when the wall clock has moved otherwise than time has: it was set, or the machine slept. */
export class WallClock {
  readonly #clocks: Clocks;
  readonly #log: Log;
  #aheadMs: number;

  constructor(clocks: Clocks, log: Log) {
    this.#clocks = clocks;
    this.#log = log;
    this.#aheadMs = this.#lead();
  }

  /** Compares the clocks with how they were at the last look. */
  look(): void {
    const aheadMs = this.#lead();
    const byMs = Math.round(aheadMs - this.#aheadMs);
    this.#aheadMs = aheadMs;
    if (Math.abs(byMs) < WORTH_SAYING_MS) return;
    this.#log.warn(
      { byMs },
      "the wall clock was set, and alarms ring by it: nothing is lost; keep it right with NTP",
    );
  }

  #lead(): number {
    return this.#clocks.wallMs() - this.#clocks.monotonicMs();
  }
}
