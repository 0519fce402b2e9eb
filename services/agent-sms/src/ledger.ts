/**
 * The ledger of text messages: what {@link DeliveryLedger} keeps, and what the caps count, since a repeat costs money and a
 * restart must not forget them. When it is lost the caps begin anew too.
 *
 *     messages   with the number by which the phone can speak of each, and the provider's name for it
 *     sends      of 24 hours: what the caps count
 */
import { type Delivery, DeliveryLedger, type LedgerEntry } from "@tidings/agent";
import { counter } from "@tidings/runtime";
import { CAP_WINDOWS, type Usage } from "./allowance.ts";
import type { PhoneNumber } from "./phone-number.ts";

const SEGMENTS = counter(
  "tidings_sms_segments_total",
  "Segments of text messages that were sent: what is paid for.",
);

/** References at a phone go from 1 to this and begin anew: short ones are typed without a mistake. */
const MAX_REFERENCE = 999;

const COLUMNS = ["reference INTEGER", "sid TEXT"];
const TABLES = `
  CREATE INDEX IF NOT EXISTS messagesByNumber ON messages (address, begunAt);
  CREATE INDEX IF NOT EXISTS messagesBySid ON messages (sid);
  CREATE TABLE IF NOT EXISTS sends (
    at INTEGER NOT NULL, number TEXT NOT NULL, prefix TEXT NOT NULL, segments INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sendsByTime ON sends (at, segments);
  CREATE INDEX IF NOT EXISTS sendsByPrefix ON sends (prefix, at, number);
  CREATE TABLE IF NOT EXISTS stopped (number TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS breaker (one INTEGER PRIMARY KEY CHECK (one = 1), untilAt INTEGER NOT NULL) STRICT;`;

/** A message as it stands in the ledger. */
export interface Entry extends LedgerEntry {
  readonly reference: number;
  /** The provider's name for the message; null while it is not known. */
  readonly sid: string | null;
}

export class Ledger extends DeliveryLedger<Entry> {
  /** Opens or makes the file at `path`; `:memory:` keeps nothing. Throws when it cannot be read or is no ledger. */
  constructor(path: string) {
    super(path, { columns: COLUMNS, tables: TABLES });
  }

  override set(key: string, delivery: Delivery, ttlMs: number, nowAt: number): void {
    const reference = this.#nextReference(delivery.address);
    super.set(key, delivery, ttlMs, nowAt);
    if (delivery.report !== null) return;
    // A message that is sent again keeps its reference; the provider calls it by another name then.
    this.run("UPDATE messages SET sid = NULL, reference = coalesce(reference, ?) WHERE key = ?", [
      reference,
      key,
    ]);
  }

  bySid(sid: string): Entry | undefined {
    return this.entries("sid = ?", [sid])[0];
  }

  /** The message that the phone knows by `reference`, the newest of them. It may have arrived although nobody said so. */
  atPhone(number: string, reference: number): Entry | undefined {
    return this.entries("address = ? AND reference = ? ORDER BY begunAt DESC, id DESC LIMIT 1", [
      number,
      reference,
    ])[0];
  }

  /** The last message to the phone that the provider took. */
  lastAtPhone(number: string): Entry | undefined {
    return this.entries("address = ? AND sid IS NOT NULL ORDER BY begunAt DESC, id DESC LIMIT 1", [
      number,
    ])[0];
  }

  /** The provider has taken the message and calls it `sid`. */
  named(key: string, sid: string): void {
    this.run("UPDATE messages SET sid = ? WHERE key = ?", [sid, key]);
  }

  /** What the caps need to know of `number`. */
  usage({ number, prefix }: PhoneNumber, nowAt: number): Usage {
    const dayAt = nowAt - CAP_WINDOWS.capMs;
    const count = (sql: string, values: (string | number)[]) => Number(this.all(sql, values)[0]?.count ?? 0);
    return {
      ofNumber: count("SELECT count(*) AS count FROM sends WHERE prefix = ? AND at > ? AND number = ?", [
        prefix,
        dayAt,
        number,
      ]),
      ofPrefix: count("SELECT count(*) AS count FROM sends WHERE prefix = ? AND at > ?", [prefix, dayAt]),
      segmentsOfDay: count("SELECT sum(segments) AS count FROM sends WHERE at > ?", [dayAt]),
      segmentsOfHour: count("SELECT sum(segments) AS count FROM sends WHERE at > ?", [
        nowAt - CAP_WINDOWS.breakerMs,
      ]),
      isStopped: count("SELECT count(*) AS count FROM stopped WHERE number = ?", [number]) > 0,
      brokenUntilAt: count("SELECT untilAt AS count FROM breaker", []),
    };
  }

  /** A message of `segments` goes out now. What the provider does not take counts too: a cap that is too strict costs nothing. */
  spend({ number, prefix }: PhoneNumber, segments: number, nowAt: number): void {
    SEGMENTS.inc(segments);
    this.run("INSERT INTO sends (at, number, prefix, segments) VALUES (?, ?, ?, ?)", [
      nowAt,
      number,
      prefix,
      segments,
    ]);
  }

  /** Nothing goes out until `untilAt`. */
  openBreaker(untilAt: number): void {
    this.run("INSERT OR REPLACE INTO breaker (one, untilAt) VALUES (1, ?)", [untilAt]);
  }

  /** The owner of `number` wants no more messages, or wants them again. */
  setStopped(number: string, isStopped: boolean, nowAt: number): void {
    if (isStopped) this.run("INSERT OR IGNORE INTO stopped (number, at) VALUES (?, ?)", [number, nowAt]);
    else this.run("DELETE FROM stopped WHERE number = ?", [number]);
  }

  protected override trim(nowAt: number): void {
    super.trim(nowAt);
    this.run("DELETE FROM sends WHERE at <= ?", [nowAt - CAP_WINDOWS.capMs]);
  }

  /** The one made last counts, not the one sent last. */
  #nextReference(number: string): number {
    const [last] = this.entries("address = ? AND reference IS NOT NULL ORDER BY id DESC LIMIT 1", [number]);
    return ((last?.reference ?? 0) % MAX_REFERENCE) + 1;
  }
}
