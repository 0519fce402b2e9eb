import type { Log } from "@tidings/runtime";

/**
 * What is done before shards are given back, while they are served: a checkpoint, and the reading by the next owner. It spares
 * that one some time and holds nothing that is not in the journal, so it gets only a little. What was late is said once for
 * all that were under way together.
 */
export class HastyPreparations {
  readonly #log: Log;
  readonly #mostMs: number;
  #underWay = 0;
  #late = 0;

  /** `mostMs` is the longest time that one may take (milliseconds). */
  constructor(log: Log, mostMs: number) {
    this.#log = log;
    this.#mostMs = mostMs;
  }

  /** Resolves when `preparation` has, or when it has had its time. Rejects with what it rejects with. */
  async wait(preparation: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#late++;
      resolve();
    }, this.#mostMs);
    this.#underWay++;
    try {
      await Promise.race([preparation, promise]);
    } finally {
      clearTimeout(timer);
      this.#underWay--;
      this.#say();
    }
  }

  #say(): void {
    if (this.#underWay > 0 || this.#late === 0) return;
    const fields = { shards: this.#late, mostMs: this.#mostMs };
    this.#log.info(fields, "shards are given back before their next owners have prepared for them");
    this.#late = 0;
  }
}
