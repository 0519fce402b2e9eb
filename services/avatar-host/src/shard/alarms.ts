/**
 * The alarms of a shard's avatars, kept as rows of the shard in the order of their time, so that they cost nothing until
 * they are due and fire for avatars that sleep. They are times of the wall clock, looked at at least every minute: set forward
 * by an hour they ring an hour early, set back an hour late, each once.
 *
 *     a/<13 digits of epoch milliseconds>/<avatar>
 */
import { type Range, type Row, withPrefix } from "@tidings/store";
import type { RowReader } from "./turn.ts";

const LONGEST_TIMER_MS = 60_000;
const AT_ONCE = 100;
/** Pause after alarms have rung, so that an avatar that is still being woken is not rung in a tight loop. */
const AFTER_RING_MS = 50;

export class Alarms {
  readonly #self: string;
  readonly #reader: RowReader;
  readonly #ring: (avatar: string, row: Row, at: number) => void;
  /** Avatars that have been rung and have not had their turn yet. */
  readonly #ringing = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #isOpen = true;

  /**
   * `ring` gives the avatar its turn for the alarm of `at` (epoch milliseconds), then calls {@link answered}; `row` removes the
   * alarm and belongs into that turn's commit.
   */
  constructor(self: string, reader: RowReader, ring: (avatar: string, row: Row, at: number) => void) {
    this.#self = self;
    this.#reader = reader;
    this.#ring = ring;
  }

  /** The rows that move an avatar's alarm. */
  rows(avatar: string, change: { readonly from: number | null; readonly to: number | null }): Row[] {
    const rows: Row[] = [];
    if (change.from !== null) rows.push({ avatar: this.#self, key: keyOf(change.from, avatar), value: null });
    if (change.to !== null) rows.push({ avatar: this.#self, key: keyOf(change.to, avatar), value: "1" });
    return rows;
  }

  /** When the first one is due (epoch milliseconds); null: none is set. */
  get firstAt(): number | null {
    const [first] = this.#reader.list(this.#self, withPrefix("a/", { limit: 1 }));
    return first === undefined ? null : timeIn(first.key);
  }

  /** Looks after what was set: call it at the start and after each commit that has moved an alarm. */
  schedule(earliestAt?: number): void {
    if (!this.#isOpen) return;
    const at = earliestAt ?? this.firstAt;
    if (at === null || at >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(LONGEST_TIMER_MS, Math.max(0, at - Date.now()));
    this.#timer = setTimeout(() => this.#fire(), delay);
  }

  /** The avatar has had the turn that it was rung for. */
  answered(avatar: string): void {
    this.#ringing.delete(avatar);
  }

  close(): void {
    this.#isOpen = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #fire(): void {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const due = this.#reader.list(this.#self, { from: "a/", to: keyOf(Date.now() + 1, ""), limit: AT_ONCE });
    for (const { key } of due) {
      const avatar = avatarIn(key);
      if (this.#ringing.has(avatar)) continue;
      this.#ringing.add(avatar);
      this.#ring(avatar, { avatar: this.#self, key, value: null }, timeIn(key));
    }
    const next = this.firstAt;
    if (next !== null) this.schedule(Math.max(next, Date.now() + AFTER_RING_MS));
  }
}

/** The rows of the alarms from `fromAt` to before `toAt` (epoch milliseconds), in the order of their time. */
export function alarmsBetween(fromAt: number, toAt: number): Range {
  return { from: keyOf(fromAt, ""), to: keyOf(toAt, "") };
}

/** The avatar whose alarm the row `key` is. */
export function avatarIn(key: string): string {
  return key.slice("a/0000000000000/".length);
}

function timeIn(key: string): number {
  return Number(key.slice("a/".length, "a/".length + 13));
}

function keyOf(at: number, avatar: string): string {
  return `a/${String(Math.ceil(at)).padStart(13, "0")}/${avatar}`;
}
