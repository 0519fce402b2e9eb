/**
 * Addresses whose server could not be reached when their presence was asked for. They count as offline, but their people may
 * be there and need not say so again when the way is free; so they are asked again, later and later, for a day.
 * Pure: the caller sends the probes. Times are milliseconds of one monotonic clock.
 */
import { backOffMs } from "@tidings/runtime";

const RETRY = { firstMs: 2_000, maxMs: 300_000 };
const KEPT_MS = 24 * 3_600_000;
/** Past it the one known longest is forgotten; its user is found when a client shows itself. */
const MAX_ADDRESSES = 50_000;
/** Most probes of one look, so that a big server that comes back is not asked for everybody at once. */
const MAX_DUE = 100;

interface Entry {
  readonly user: string;
  readonly address: string;
  readonly sinceMs: number;
  tries: number;
  dueMs: number;
}

export class Unreached {
  readonly #entries = new Map<string, Entry>();
  readonly #random: () => number;

  /** `random` is in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The server of `address` could not be reached. */
  add(user: string, address: string, nowMs: number): void {
    const key = `${user} ${address}`;
    if (this.#entries.has(key)) return;
    const entry = { user, address, sinceMs: nowMs, tries: 0, dueMs: 0 };
    this.#delay(entry, nowMs);
    this.#entries.set(key, entry);
    if (this.#entries.size <= MAX_ADDRESSES) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Something came from `address` that its server made. */
  reached(user: string, address: string): void {
    this.#entries.delete(`${user} ${address}`);
  }

  /** Whom to ask again now. */
  due(nowMs: number): { readonly user: string; readonly address: string }[] {
    const due: Entry[] = [];
    for (const [key, entry] of this.#entries) {
      if (due.length === MAX_DUE) break;
      if (nowMs - entry.sinceMs >= KEPT_MS) this.#entries.delete(key);
      else if (entry.dueMs <= nowMs) due.push(entry);
    }
    for (const entry of due) this.#delay(entry, nowMs);
    return due;
  }

  #delay(entry: Entry, nowMs: number): void {
    entry.tries += 1;
    entry.dueMs = nowMs + backOffMs(entry.tries, RETRY, this.#random());
  }
}
