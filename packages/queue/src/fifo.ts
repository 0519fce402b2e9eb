/** First in, first out, with a constant cost per value however many wait. */
export class Fifo<T> {
  #values: T[] = [];
  #head = 0;

  get size(): number {
    return this.#values.length - this.#head;
  }

  push(value: T): void {
    this.#values.push(value);
  }

  /** Puts `values` before all others, in their order. */
  unshift(values: readonly T[]): void {
    this.#values = [...values, ...this.#values.slice(this.#head)];
    this.#head = 0;
  }

  peek(): T | undefined {
    return this.#values[this.#head];
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const value = this.#values[this.#head];
    this.#head += 1;
    if (this.#head > 1_000 && this.#head * 2 > this.#values.length) this.#compact();
    return value;
  }

  /** Takes all values out. */
  drain(): T[] {
    this.#compact();
    return this.#values.splice(0);
  }

  #compact(): void {
    this.#values = this.#values.slice(this.#head);
    this.#head = 0;
  }
}
