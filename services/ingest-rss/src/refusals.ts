import { backOffMs } from "@tidings/runtime";

const PAUSE = { firstMs: 5_000, maxMs: 60_000 };

/**
 * How long a job whose result was refused is kept before it is given back. The longer nothing is taken, the longer: a job
 * may be given back 20 times before RabbitMQ makes a dead letter of it.
 */
export class Refusals {
  readonly #random: () => number;
  #inARow = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** A result was refused: how long to wait (milliseconds). */
  next(): number {
    this.#inARow++;
    return backOffMs(this.#inARow, PAUSE, this.#random());
  }

  /** A result was taken. */
  end(): void {
    this.#inARow = 0;
  }
}
