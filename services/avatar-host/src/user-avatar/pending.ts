/** The deliveries that somebody still waits for, as an awake avatar keeps them in memory: which, in what order, and until when. */

import { OrderedNumbers } from "./ordered-numbers.ts";
import { dueAt } from "./progress.ts";
import type { DeliveriesRow, Delivery } from "./rows.ts";

/**
 * After this long without a word about a dispatch it may have been lost on its way to the agent, and what comes later waits
 * in line: it would overtake the repeat (milliseconds).
 */
const SILENCE_MS = 2_000;

export class Pending {
  readonly #rows = new Map<string, DeliveriesRow>();
  readonly #held = new OrderedNumbers();
  readonly #line = new OrderedNumbers();
  /** How many wait in line at a destination. */
  readonly #lineAt = new Map<string, number>();
  /** What is dispatched at each destination, by number, oldest first: since when nothing was heard of it; 0 when it was repeated. */
  readonly #silentSince = new Map<string, Map<string, number>>();
  #inFlight = 0;
  /** No held delivery has anything to do by the clock before then. */
  #quietUntilAt = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#rows.size;
  }

  /** Dispatches without a word from the agent. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The destinations at which something dispatched, of a lower number than `number`, may never have reached its agent. */
  silent(nowAt: number, number: string): string[] {
    const isSilent = ([, since]: [string, Map<string, number>]) => {
      for (const [earlier, oldest] of since) if (earlier < number) return nowAt - oldest >= SILENCE_MS;
      return false;
    };
    return [...this.#silentSince].filter(isSilent).map(([destination]) => destination);
  }

  get(number: string): DeliveriesRow | undefined {
    return this.#rows.get(number);
  }

  has(number: string): boolean {
    return this.#rows.has(number);
  }

  /** All of them, oldest first, as they are now. */
  inOrder(): [string, DeliveriesRow][] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The numbers of what is held, oldest first. */
  held(): Iterable<string> {
    return this.#held.inOrder();
  }

  /** The numbers of what could go but for those before it, and of what is to be tried again, oldest first. */
  line(): Iterable<string> {
    return this.#line.inOrder();
  }

  /** Whether it waits in line anywhere but at the destinations `except`. */
  isInLine(number: string, except: ReadonlySet<string>): boolean {
    const row = this.#rows.get(number);
    return row?.deliveries.some((one) => isInLine(one) && !except.has(one.destination)) ?? false;
  }

  /** The destinations at which something waits in line. */
  busy(): Set<string> {
    return new Set(this.#lineAt.keys());
  }

  /** Whether the clock has something to do for what is held. */
  isDue(nowAt: number): boolean {
    return nowAt >= this.#quietUntilAt;
  }

  /** All that is due is going to be looked at: from now on only what has its time later counts. */
  lookedAt(nowAt: number): void {
    this.#quietUntilAt = Number.POSITIVE_INFINITY;
    for (const number of this.#held.inOrder()) this.#noteDue(this.#rows.get(number), nowAt);
  }

  /** Keeps a row, or the new state of one. */
  keep(number: string, row: DeliveriesRow, nowAt: number): void {
    this.#uncount(number);
    this.#rows.set(number, row);
    this.#inFlight += dispatchedIn(row);
    for (const { state, destination, repeats, at } of row.deliveries) {
      if (state !== "dispatched") continue;
      const since = this.#silentSince.get(destination) ?? new Map<string, number>();
      this.#silentSince.set(destination, since.set(number, repeats === undefined ? at : 0));
    }
    const waiting = row.deliveries.filter(isInLine);
    for (const { destination } of waiting) this.#count(destination, 1);
    this.#held.toggle(
      number,
      row.deliveries.some(({ state }) => state === "held"),
    );
    this.#line.toggle(number, waiting.length > 0);
    this.#noteDue(row, nowAt);
  }

  forget(number: string): void {
    this.#uncount(number);
    this.#rows.delete(number);
    this.#held.toggle(number, false);
    this.#line.toggle(number, false);
  }

  #uncount(number: string): void {
    const row = this.#rows.get(number);
    if (row === undefined) return;
    this.#inFlight -= dispatchedIn(row);
    for (const since of this.#silentSince.values()) since.delete(number);
    for (const { destination } of row.deliveries.filter(isInLine)) this.#count(destination, -1);
  }

  #count(destination: string, change: number): void {
    const count = (this.#lineAt.get(destination) ?? 0) + change;
    if (count > 0) this.#lineAt.set(destination, count);
    else this.#lineAt.delete(destination);
  }

  /** A time that has passed waits for news. */
  #noteDue(row: DeliveriesRow | undefined, nowAt: number): void {
    for (const delivery of row?.deliveries ?? []) {
      const due = delivery.state === "held" ? dueAt(delivery) : null;
      if (due !== null && due > nowAt && due < this.#quietUntilAt) this.#quietUntilAt = due;
    }
  }
}

/** Held for no other reason than those before it, or to be tried again: what comes later waits behind it. */
export function isInLine({ state, because }: Delivery): boolean {
  return state === "held" && (because === undefined || because === "inLine");
}

function dispatchedIn({ deliveries }: DeliveriesRow): number {
  return deliveries.reduce((count, { state }) => count + (state === "dispatched" ? 1 : 0), 0);
}
