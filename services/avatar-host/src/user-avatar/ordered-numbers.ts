/** Numbers of a history, given lowest first. They mostly come in order; only what comes out of it is sorted, and then once. */
export class OrderedNumbers {
  readonly #numbers = new Set<string>();
  #isInOrder = true;
  #last = "";

  has(number: string): boolean {
    return this.#numbers.has(number);
  }

  /** Has the number in it, or not; one that is in it keeps its place. */
  toggle(number: string, isIn: boolean): void {
    if (!isIn) this.#numbers.delete(number);
    else if (!this.#numbers.has(number)) {
      this.#numbers.add(number);
      if (number < this.#last) this.#isInOrder = false;
      else this.#last = number;
    }
  }

  /** Lowest first. What is deleted meanwhile is left out; what is added behind is given as well. */
  inOrder(): Iterable<string> {
    if (!this.#isInOrder) {
      const sorted = [...this.#numbers].sort();
      this.#numbers.clear();
      for (const number of sorted) this.#numbers.add(number);
      this.#isInOrder = true;
    }
    return this.#numbers;
  }
}
