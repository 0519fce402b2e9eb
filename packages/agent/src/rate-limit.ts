import { BoundedMap } from "./bounded-map.ts";

const MAX_KEYS = 50_000;

interface Window {
  readonly beganAt: number;
  count: number;
}

/** Counts per key in windows of fixed length; forgets the oldest keys when there are very many. */
export class RateLimit {
  readonly #windows = new BoundedMap<string, Window>(MAX_KEYS);
  readonly #max: number;
  readonly #perMs: number;

  constructor(max: number, perMs: number) {
    this.#max = max;
    this.#perMs = perMs;
  }

  /** Takes one of `key`'s chances: `yes`, `last` for the first one too many, then `no` until the window ends. */
  take(key: string, nowAt: number): "yes" | "last" | "no" {
    let window = this.#windows.get(key, nowAt);
    if (window === undefined) {
      window = { beganAt: nowAt, count: 0 };
      this.#windows.set(key, window, this.#perMs, nowAt);
    }
    window.count += 1;
    if (window.count <= this.#max) return "yes";
    return window.count === this.#max + 1 ? "last" : "no";
  }
}
