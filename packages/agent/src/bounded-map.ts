interface Held<V> {
  readonly value: V;
  readonly untilAt: number;
}

/**
 * A map that forgets: each entry after its time, and the oldest when there are too many, or when their keys are too long
 * together. `nowAt` is epoch milliseconds.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Held<V>>();
  readonly #maxEntries: number;
  readonly #maxKeyChars: number;
  #keyChars = 0;

  constructor(maxEntries: number, maxKeyChars: number = Number.POSITIVE_INFINITY) {
    this.#maxEntries = maxEntries;
    this.#maxKeyChars = maxKeyChars;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K, nowAt: number): V | undefined {
    const held = this.#entries.get(key);
    if (held === undefined || held.untilAt > nowAt) return held?.value;
    this.delete(key);
    return undefined;
  }

  /** Keeps `value` for `ttlMs` from `nowAt`; it becomes the youngest entry. */
  set(key: K, value: V, ttlMs: number, nowAt: number): void {
    this.delete(key);
    this.#entries.set(key, { value, untilAt: nowAt + ttlMs });
    this.#keyChars += String(key).length;
    for (const [oldest, { untilAt }] of this.#entries) {
      const isTooMuch = this.#entries.size > this.#maxEntries || this.#keyChars > this.#maxKeyChars;
      if (!isTooMuch && untilAt > nowAt) return;
      this.delete(oldest);
    }
  }

  /** What is kept and not out of date, oldest first. */
  *values(nowAt: number): Generator<V> {
    for (const { value, untilAt } of this.#entries.values()) if (untilAt > nowAt) yield value;
  }

  delete(key: K): boolean {
    const isHeld = this.#entries.delete(key);
    if (isHeld) this.#keyChars -= String(key).length;
    return isHeld;
  }
}
