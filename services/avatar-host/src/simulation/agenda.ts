/** The virtual clock: what is to happen, in the order of its time. */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
  isOff: boolean;
}

export class Agenda {
  /** Virtual milliseconds. */
  now = 0;
  /** How much has happened. */
  steps = 0;
  #order = 0;
  /** A binary heap: each entry is not later than the two below it. */
  readonly #heap: Entry[] = [];

  /** Does `work` at `now` + `delayMs`; what it returns calls that off. */
  after(delayMs: number, work: () => void): () => void {
    const entry = { at: this.now + delayMs, order: this.#order++, work, isOff: false };
    let at = this.#heap.push(entry) - 1;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(entry, this.#heap[above]); above = (at - 1) >> 1) {
      this.#heap[at] = this.#heap[above] as Entry;
      at = above;
    }
    this.#heap[at] = entry;
    return () => {
      entry.isOff = true;
    };
  }

  /** Goes on until `untilMs`, or `isDone` says so. */
  run(untilMs: number, isDone: () => boolean = () => false): void {
    while ((this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= untilMs && !isDone()) {
      const entry = this.#pop();
      if (entry.isOff) continue;
      this.now = entry.at;
      this.steps++;
      entry.work();
    }
    if (!isDone()) this.now = untilMs;
  }

  #pop(): Entry {
    const first = this.#heap[0] as Entry;
    const last = this.#heap.pop() as Entry;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    let at = 0;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const below = right !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
      const next = this.#heap[below];
      if (next === undefined || !isBefore(next, entry)) break;
      this.#heap[at] = next;
      at = below;
    }
    this.#heap[at] = entry;
  }
}

function isBefore(a: Entry, b: Entry | undefined): boolean {
  return b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order);
}
