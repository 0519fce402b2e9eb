/** How long a shard that was given to a host by name is left to it alone (milliseconds). */
const PROMISED_MS = 5_000;

/** Shards that were given by name: by this host to another one, and to this one. Times are of the own monotonic clock. */
export class NamedShards {
  readonly #monotonicMs: () => number;
  readonly #promised = new Map<number, { readonly to: string; readonly until: number }>();
  readonly #offered = new Map<number, number>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Shards that are left to other hosts. */
  get promised(): Iterable<number> {
    return this.#promised.keys();
  }

  /** Shards that this host takes beyond its share. */
  get offered(): Iterable<number> {
    return this.#offered.keys();
  }

  /** The host to which `shard` is being given, or null. */
  promisedTo(shard: number): string | null {
    return this.#promised.get(shard)?.to ?? null;
  }

  /** Gives `shard` to the host named `to`. However long that takes: the time of the other host begins when it is free. */
  async promise(shard: number, to: string, give: () => Promise<void>): Promise<void> {
    this.#promised.set(shard, { to, until: Number.POSITIVE_INFINITY });
    try {
      await give();
    } finally {
      this.#promised.set(shard, { to, until: this.#monotonicMs() + PROMISED_MS });
    }
  }

  /** Another host has given `shard` to this one. */
  offer(shard: number): void {
    this.#offered.set(shard, this.#monotonicMs() + PROMISED_MS);
  }

  /** Forgets what had its time, and what was offered and is `owned` now. */
  forgetWhatIsOver(owned: ReadonlySet<number>): void {
    const now = this.#monotonicMs();
    for (const [shard, { until }] of this.#promised) if (now >= until) this.#promised.delete(shard);
    for (const [shard, until] of this.#offered)
      if (now >= until || owned.has(shard)) this.#offered.delete(shard);
  }
}
