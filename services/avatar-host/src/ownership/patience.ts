/**
 * How long a host that could not serve a shard takes none: the cause (a full disk, a router that refuses) is mostly not of
 * one shard, and each try costs an epoch.
 *
 *     content ──could not serve──▶ waiting ──pause over──▶ trying ──could not──▶ waiting, twice as long, to 60 s
 *        ▲                                                   └──served, or the bus came back──▶ content
 */
import { type BackOff, backOffMs } from "@tidings/runtime";

export const TAKE_AGAIN: BackOff = { firstMs: 5_000, maxMs: 60_000 };

export class Patience {
  readonly #monotonicMs: () => number;
  readonly #random: () => number;
  #failures = 0;
  #waitUntil = 0;
  #said: string | null = null;

  /** `monotonicMs` is the own monotonic clock; `random` is in [0, 1). */
  constructor(monotonicMs: () => number, random: () => number = Math.random) {
    this.#monotonicMs = monotonicMs;
    this.#random = random;
  }

  /** True from the first failure until a shard is served again. */
  get isTried(): boolean {
    return this.#failures > 0;
  }

  /** True while nothing should be tried. */
  get isWaiting(): boolean {
    return this.#monotonicMs() < this.#waitUntil;
  }

  /**
   * A shard could not be served, for a reason of this `kind`. Shards that fail together count once. Returns how long nothing
   * will be tried (milliseconds), and whether the kind is another one than before.
   */
  failed(kind: string): { readonly pauseMs: number; readonly isNews: boolean } {
    const isNews = kind !== this.#said;
    this.#said = kind;
    const now = this.#monotonicMs();
    if (!this.isWaiting) this.#waitUntil = now + backOffMs(++this.#failures, TAKE_AGAIN, this.#random());
    return { pauseMs: this.#waitUntil - now, isNews };
  }

  /** A shard is served. While others that were tried with it have failed, that says nothing. */
  succeeded(): void {
    if (!this.isWaiting) this.forget();
  }

  /** What was in the way may have gone. */
  forget(): void {
    this.#failures = 0;
    this.#waitUntil = 0;
    this.#said = null;
  }
}
