/**
 * Gives many avatars of a shard a turn, spread over some time. Their names are read a page at a time, others going first in
 * between: a shard may have ten thousand of them. The shards of a host begin such rounds together, so each begins at a
 * moment of its own, and a round takes many steps, so that it has no peak.
 */
import type { Background } from "@tidings/runtime";
import type { Entry, Range } from "@tidings/store";

/** Most avatars that are given their turn together. */
const BATCH = 20;
/** A round takes at least this many steps when there are avatars enough. */
const STEPS = 20;
/** Rows read at a time: about a millisecond. */
const PAGE_ROWS = 1_000;

export interface SpreadRoundOptions {
  readonly list: (range: Range) => Entry[];
  /** The avatar of a row, or null when the row is none of the round's. */
  readonly nameOf: (key: string) => string | null;
  readonly give: (names: readonly string[]) => void;
  readonly background: Pick<Background, "run">;
  /** In [0, 1). */
  readonly random: () => number;
}

export class SpreadRound {
  readonly #options: SpreadRoundOptions;
  #timers: NodeJS.Timeout[] = [];
  /** Counts the rounds: one that was given up reads nothing more. */
  #round = 0;

  constructor(options: SpreadRoundOptions) {
    this.#options = options;
  }

  /** Starts a round for the avatars of the rows in `range`, spread over `spreadMs`. One that is under way is given up. */
  start(range: Range, spreadMs: number): void {
    this.close();
    this.#read(this.#round, range, [], spreadMs);
  }

  close(): void {
    this.#round++;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #read(round: number, range: Range, names: string[], spreadMs: number): void {
    if (round !== this.#round) return;
    const { list, nameOf, background } = this.#options;
    const page = list({ ...range, limit: PAGE_ROWS });
    for (const { key } of page) {
      const name = nameOf(key);
      if (name !== null) names.push(name);
    }
    const last = page.length < PAGE_ROWS ? undefined : page.at(-1);
    if (last === undefined) this.#spread(names, spreadMs);
    else background.run(() => this.#read(round, { ...range, from: `${last.key}\0` }, names, spreadMs));
  }

  #spread(names: readonly string[], spreadMs: number): void {
    const { give, random } = this.#options;
    const size = Math.min(BATCH, Math.ceil(names.length / STEPS));
    const batches = Math.ceil(names.length / size);
    const phase = random();
    for (let at = 0; at < batches; at++) {
      const batch = names.slice(at * size, (at + 1) * size);
      this.#timers.push(setTimeout(() => give(batch), ((at + phase) / batches) * spreadMs));
    }
  }
}
