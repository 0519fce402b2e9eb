import type { Log } from "@tidings/runtime";

/**
 * Checkpoints before shards are given back: they spare the next owner some reading and hold nothing that is not in the
 * journal, so they get only a little time. What was late is said once for all that were written together.
 */
export class HastyCheckpoints {
  readonly #log: Log;
  readonly #mostMs: number;
  #underWay = 0;
  #late = 0;

  /** `mostMs` is the longest time that one may take (milliseconds). */
  constructor(log: Log, mostMs: number) {
    this.#log = log;
    this.#mostMs = mostMs;
  }

  /** Resolves when `checkpoint` has, or when it has had its time. Rejects with what it rejects with. */
  async wait(checkpoint: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#late++;
      resolve();
    }, this.#mostMs);
    this.#underWay++;
    try {
      await Promise.race([checkpoint, promise]);
    } finally {
      clearTimeout(timer);
      this.#underWay--;
      this.#say();
    }
  }

  #say(): void {
    if (this.#underWay > 0 || this.#late === 0) return;
    const fields = { shards: this.#late, mostMs: this.#mostMs };
    this.#log.info(fields, "checkpoints took too long, the next owners read from the journal");
    this.#late = 0;
  }
}
