/** Since when a host could not serve, and why: it has no connection to the bus, or its disk takes nothing. */
import { UNFIT_MS } from "./plan.ts";

const NO_BUS = "no connection to the bus; check TIDINGS_BUS_URL";

export class Fitness {
  readonly #monotonicMs: () => number;
  readonly #probe: () => void;
  /** On the own monotonic clock (milliseconds); null while there is one. */
  #noBusSince: number | null = null;
  #noDiskSince: number | null = null;
  #disk = "";
  #hasSaid = false;

  /** `probe` throws an error with a sentence when the disk takes no file. */
  constructor(monotonicMs: () => number, probe: () => void) {
    this.#monotonicMs = monotonicMs;
    this.#probe = probe;
  }

  get isFit(): boolean {
    return this.#noBusSince === null && this.#noDiskSince === null;
  }

  /** How long it could not serve by `now` (milliseconds); 0 when it can. */
  unfitMs(now: number): number {
    return Math.max(0, now - (this.#noBusSince ?? now), now - (this.#noDiskSince ?? now));
  }

  /** Why, with the way out; the first time that it is asked in one illness, and only when that lasts. Else null. */
  news(now: number): string | null {
    const isIll = this.unfitMs(now) >= UNFIT_MS;
    const isNews = isIll && !this.#hasSaid;
    this.#hasSaid = isIll;
    if (!isNews) return null;
    return this.#noBusSince === null ? this.#disk : NO_BUS;
  }

  /** The connection to the bus came or went. */
  noteBus(isOnline: boolean): void {
    this.#noBusSince = isOnline ? null : (this.#noBusSince ?? this.#monotonicMs());
  }

  /** Looks whether the disk takes files. */
  lookAtDisk(): void {
    try {
      this.#probe();
      this.#noDiskSince = null;
    } catch (error) {
      this.#disk = (error as Error).message;
      this.#noDiskSince ??= this.#monotonicMs();
    }
  }
}
