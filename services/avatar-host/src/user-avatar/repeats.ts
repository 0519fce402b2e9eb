/**
 * What is dispatched and nobody has spoken of, said again in its order. What is behind something that has to be tried again
 * would overtake it: it is left until that has gone, and then goes just behind it.
 */
import { isInLine } from "./pending.ts";
import type { DeliveriesRow } from "./rows.ts";

type Numbered = readonly [number: string, row: DeliveriesRow];
export type SayRepeat = (number: string, row: DeliveriesRow, except: ReadonlySet<string>) => void;

export class Repeats {
  /** Numbers of what was left. */
  #left = new Set<string>();
  #mayGo = false;

  /** Says those of `rows` (oldest first) that nothing before them keeps, but for the destinations `except`. */
  say(rows: Iterable<Numbered>, except: ReadonlySet<string>, say: SayRepeat): void {
    const kept = new Set<string>();
    for (const [number, row] of rows) {
      if (row.deliveries.some(({ state, destination }) => state === "dispatched" && kept.has(destination)))
        this.#left.add(number);
      say(number, row, kept.size === 0 ? except : except.union(kept));
      for (const one of row.deliveries) if (isInLine(one)) kept.add(one.destination);
    }
  }

  /** Something has gone that others were left behind. */
  hasGone(): void {
    this.#mayGo = this.#left.size > 0;
  }

  /** Says of what was left what nothing keeps any more. */
  sayLeft(rows: () => readonly Numbered[], say: SayRepeat): void {
    if (!this.#mayGo) return;
    const left = this.#left;
    [this.#left, this.#mayGo] = [new Set(), false];
    this.say(rows(), new Set(), (number, row, except) => {
      if (left.has(number)) say(number, row, except);
    });
  }
}
