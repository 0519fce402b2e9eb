/**
 * Asks that the agent has not answered. It answers each within seconds, be it with silence's report; an ask that goes unanswered
 * was lost on its way, and nobody but the shard would ever notice: the user would be taken for away until the next change.
 *
 *     asked ──presence of the address is reported──▶ answered
 *       └──nothing in 5 to 10 s, doubling to 2 min──▶ asked again
 *
 * Kept in memory: who takes the shard over asks all anew.
 */
import type { Ask, Report } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";

/** The agent waits 3 s for a server, and up to 5 s when an address changes all the time. */
const AGAIN = { firstMs: 10_000, maxMs: 120_000 };
const LOOK_EVERY_MS = 1_000;
/** Above it the ones asked longest ago are forgotten. */
const MOST_OPEN = 20_000;

interface Open {
  readonly user: string;
  readonly addresses: Set<string>;
  tries: number;
  dueMs: number;
}

export class OpenAsks {
  readonly #again: (asks: readonly Ask[]) => void;
  readonly #random: () => number;
  readonly #open = new Map<string, Open>();
  #timer: NodeJS.Timeout | null = null;

  /** `again` sends asks once more; `random` is in [0, 1). */
  constructor(again: (asks: readonly Ask[]) => void, random: () => number = Math.random) {
    this.#again = again;
    this.#random = random;
  }

  get count(): number {
    return this.#open.size;
  }

  /** These asks have left. */
  asked(asks: readonly Ask[]): void {
    for (const { user, addresses } of asks) {
      this.#open.delete(user);
      this.#open.set(user, { user, addresses: new Set(addresses), tries: 1, dueMs: this.#dueMs(1) });
    }
    for (const user of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN) break;
      this.#open.delete(user);
    }
    if (this.#open.size > 0) this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** The agent has said this: presence answers what was asked about its address. */
  heard(reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.kind !== "presence") continue;
      const open = this.#open.get(report.user);
      open?.addresses.delete(report.address);
      if (open?.addresses.size === 0) this.#open.delete(report.user);
    }
    if (this.#open.size === 0) this.close();
  }

  /** Forgets all. */
  close(): void {
    this.#open.clear();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const nowMs = performance.now();
    const due = [...this.#open.values()].filter(({ dueMs }) => dueMs <= nowMs);
    for (const open of due) open.dueMs = this.#dueMs(++open.tries);
    if (due.length > 0)
      this.#again(due.map(({ user, addresses }): Ask => ({ user, addresses: [...addresses] })));
  }

  #dueMs(tries: number): number {
    return performance.now() + backOffMs(tries, AGAIN, this.#random());
  }
}
