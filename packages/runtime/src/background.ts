/**
 * Work that may wait a little: one piece in each round of the event loop, in the order in which it came, so that what
 * comes from sockets meanwhile is dealt with first. What a piece adds runs behind what waits already.
 */
export class Background {
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Pieces that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` in one of the next rounds. What it throws is thrown into the event loop, and the rest goes on. */
  run(work: () => void): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const work = this.#waiting.shift();
      this.#schedule();
      work?.();
    });
  }
}
