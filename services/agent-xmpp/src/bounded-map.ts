interface Held<V> {
  readonly value: V;
  readonly untilAt: number;
}

/** A map that forgets: each entry after its time, and the oldest when there are too many. `nowAt` is epoch milliseconds. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Held<V>>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K, nowAt: number): V | undefined {
    const held = this.#entries.get(key);
    if (held === undefined || held.untilAt > nowAt) return held?.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Keeps `value` for `ttlMs` from `nowAt`; it becomes the youngest entry. */
  set(key: K, value: V, ttlMs: number, nowAt: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilAt: nowAt + ttlMs });
    if (this.#entries.size <= this.#maxEntries) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest as K);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }
}
