/**
 * What was sent, to whom, and what became of it, in one SQLite file: a repeat costs money and a restart must not forget the
 * caps. It is written before a message goes to the provider and is synced, so that no death of the process or of the machine
 * makes one go twice. It decides nothing, and nobody else's data hangs on it: when it is lost, caps begin anew, replies to
 * earlier messages are not understood, and what was sent and never reported can come twice.
 *
 *     deliveries   of 30 days: which message a reply speaks of; of 24 hours: what must not be sent again
 *     sends        of 24 hours: what the caps count
 *     deeds        of 30 days: answers that were taken, so that one that comes twice is taken once
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Delivery, DeliveryStore } from "@tidings/agent";
import type { DeliveryReport } from "@tidings/protocol";
import { CAP_WINDOWS, type Usage } from "./allowance.ts";
import type { PhoneNumber } from "./phone-number.ts";

const KEPT_MS = 30 * 24 * 3_600_000;
const MAX_DELIVERIES = 200_000;
/** References at a phone go from 1 to this and begin anew: short ones are typed without a mistake. */
const MAX_REFERENCE = 999;
const TRIM_EVERY_MS = 3_600_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, user TEXT NOT NULL, number TEXT NOT NULL,
    notification TEXT NOT NULL, destination TEXT NOT NULL, attempt INTEGER NOT NULL, report TEXT,
    reference INTEGER NOT NULL, sid TEXT, begunAt INTEGER NOT NULL, changedAt INTEGER NOT NULL, untilAt INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS byNumber ON deliveries (number, begunAt);
  CREATE INDEX IF NOT EXISTS byTime ON deliveries (begunAt);
  CREATE INDEX IF NOT EXISTS byChange ON deliveries (changedAt);
  CREATE INDEX IF NOT EXISTS bySid ON deliveries (sid);
  CREATE TABLE IF NOT EXISTS sends (
    at INTEGER NOT NULL, number TEXT NOT NULL, prefix TEXT NOT NULL, segments INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sendsByTime ON sends (at, segments);
  CREATE INDEX IF NOT EXISTS sendsByPrefix ON sends (prefix, at, number);
  CREATE TABLE IF NOT EXISTS deeds (id TEXT PRIMARY KEY, at INTEGER NOT NULL, report TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS deedsByTime ON deeds (at);
  CREATE TABLE IF NOT EXISTS stopped (number TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS breaker (one INTEGER PRIMARY KEY CHECK (one = 1), untilAt INTEGER NOT NULL) STRICT;`;

/** A delivery as it stands in the ledger. */
export interface Entry extends Delivery {
  readonly id: number;
  readonly key: string;
  readonly reference: number;
  /** The provider's name for the message; null while it is not known. */
  readonly sid: string | null;
  readonly begunAt: number;
}

export class Ledger implements DeliveryStore {
  readonly #file: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #trimmedAt = 0;

  /** Opens or makes the file at `path`; `:memory:` keeps nothing. Throws when it cannot be read or is no ledger. */
  constructor(path: string) {
    this.#file = new DatabaseSync(path);
    this.#file.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
    this.#file.exec(TABLES);
  }

  /** What `work` writes is on disk, all of it, when this returns. Throws what `work` throws, and then nothing was written. */
  inOneCommit<T>(work: () => T): T {
    this.#file.exec("BEGIN IMMEDIATE");
    try {
      const done = work();
      this.#file.exec("COMMIT");
      return done;
    } catch (error) {
      if (this.#file.isTransaction) this.#file.exec("ROLLBACK");
      throw error;
    }
  }

  get(key: string, nowAt: number): Delivery | undefined {
    return this.#entries("key = ? AND untilAt > ?", [key, nowAt])[0];
  }

  set(key: string, delivery: Delivery, ttlMs: number, nowAt: number): void {
    const { user, address, notification, destination, attempt, report } = delivery;
    const said = report === null ? null : JSON.stringify(report);
    const isAnew = report === null;
    this.#run(
      `INSERT INTO deliveries (key, user, number, notification, destination, attempt, report, reference, begunAt, changedAt, untilAt)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET destination = excluded.destination, attempt = excluded.attempt,
         report = excluded.report, changedAt = excluded.changedAt, untilAt = excluded.untilAt
         ${isAnew ? ", sid = NULL, begunAt = excluded.begunAt" : ""}`,
      [
        key,
        user,
        address,
        notification,
        destination,
        attempt,
        said,
        this.#nextReference(address),
        nowAt,
        nowAt,
        nowAt + ttlMs,
      ],
    );
    this.#trim(nowAt);
  }

  entry(key: string): Entry | undefined {
    return this.#entries("key = ?", [key])[0];
  }

  byId(id: number): Entry | undefined {
    return this.#entries("id = ?", [id])[0];
  }

  bySid(sid: string): Entry | undefined {
    return this.#entries("sid = ?", [sid])[0];
  }

  /** The message that the phone knows by `reference`, the newest of them. It may have arrived although nobody said so. */
  atPhone(number: string, reference: number): Entry | undefined {
    return this.#entries("number = ? AND reference = ? ORDER BY begunAt DESC, id DESC LIMIT 1", [
      number,
      reference,
    ])[0];
  }

  /** The last message to the phone that the provider took. */
  lastAtPhone(number: string): Entry | undefined {
    return this.#entries("number = ? AND sid IS NOT NULL ORDER BY begunAt DESC, id DESC LIMIT 1", [
      number,
    ])[0];
  }

  /** What was reported at `sinceAt` or later, oldest first: a life before this one may have died before it said so. */
  reportsSince(sinceAt: number): DeliveryReport[] {
    const rows = this.#all(
      `SELECT changedAt AS at, report FROM deliveries WHERE changedAt >= ? AND report IS NOT NULL
       UNION ALL SELECT at, report FROM deeds WHERE at >= ? AND report IS NOT NULL ORDER BY at`,
      [sinceAt, sinceAt],
    );
    return rows.map(({ report }) => JSON.parse(String(report)) as DeliveryReport);
  }

  /** The provider has taken the message and calls it `sid`. */
  named(key: string, sid: string): void {
    this.#run("UPDATE deliveries SET sid = ? WHERE key = ?", [sid, key]);
  }

  /** What the caps need to know of `number`. */
  usage({ number, prefix }: PhoneNumber, nowAt: number): Usage {
    const dayAt = nowAt - CAP_WINDOWS.capMs;
    const count = (sql: string, values: (string | number)[]) => Number(this.#all(sql, values)[0]?.count ?? 0);
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
    this.#run("INSERT INTO sends (at, number, prefix, segments) VALUES (?, ?, ?, ?)", [
      nowAt,
      number,
      prefix,
      segments,
    ]);
  }

  /** Nothing goes out until `untilAt`. */
  openBreaker(untilAt: number): void {
    this.#run("INSERT OR REPLACE INTO breaker (one, untilAt) VALUES (1, ?)", [untilAt]);
  }

  /** The owner of `number` wants no more messages, or wants them again. */
  setStopped(number: string, isStopped: boolean, nowAt: number): void {
    if (isStopped) this.#run("INSERT OR IGNORE INTO stopped (number, at) VALUES (?, ?)", [number, nowAt]);
    else this.#run("DELETE FROM stopped WHERE number = ?", [number]);
  }

  /** Notes the answer `id`, with what is to be reported of it. False when it was noted before. */
  noteDeed(id: string, report: DeliveryReport | null, nowAt: number): boolean {
    const said = report === null ? null : JSON.stringify(report);
    return this.#run("INSERT OR IGNORE INTO deeds (id, at, report) VALUES (?, ?, ?)", [id, nowAt, said]) > 0;
  }

  close(): void {
    this.#file.close();
  }

  /** A message that is sent again keeps its reference, so the one made last counts, not the one sent last. */
  #nextReference(number: string): number {
    const [last] = this.#entries("number = ? ORDER BY id DESC LIMIT 1", [number]);
    return ((last?.reference ?? 0) % MAX_REFERENCE) + 1;
  }

  #trim(nowAt: number): void {
    if (nowAt - this.#trimmedAt < TRIM_EVERY_MS) return;
    this.#trimmedAt = nowAt;
    this.#run("DELETE FROM deliveries WHERE begunAt <= ?", [nowAt - KEPT_MS]);
    this.#run("DELETE FROM deeds WHERE at <= ?", [nowAt - KEPT_MS]);
    this.#run("DELETE FROM sends WHERE at <= ?", [nowAt - CAP_WINDOWS.capMs]);
    this.#run(
      "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries ORDER BY begunAt DESC LIMIT -1 OFFSET ?)",
      [MAX_DELIVERIES],
    );
  }

  #entries(where: string, values: (string | number)[]): Entry[] {
    const rows = this.#all(`SELECT * FROM deliveries WHERE ${where}`, values);
    return rows.map((row) => {
      const { number, report, changedAt: _, untilAt: __, ...rest } = row;
      return {
        ...rest,
        address: number,
        report: report === null ? null : JSON.parse(String(report)),
      } as unknown as Entry;
    });
  }

  #all(sql: string, values: (string | number)[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values);
  }

  #run(sql: string, values: (string | number | null)[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#file.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
