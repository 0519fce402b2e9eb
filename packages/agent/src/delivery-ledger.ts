/**
 * What an agent has sent, to whom, and what became of it, in one SQLite file: for agents whose restart must not send
 * anything twice, and that hear answers days later. It is written before a message goes out and is synced, so that no death
 * of the process or of the machine makes one forgotten. It decides nothing, and no avatar's data hangs on it: when it is
 * lost, answers to earlier messages are not understood, and what was sent and never reported can come twice.
 *
 *     messages   of 30 days: what an answer speaks of; until `untilAt`: what must not be sent again
 *     deeds      of 30 days: answers that were taken, so that one that comes twice is taken once
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { DeliveryReport } from "@tidings/protocol";
import type { Delivery, DeliveryStore } from "./delivery-memory.ts";

const KEPT_MS = 30 * 24 * 3_600_000;
const MAX_MESSAGES = 200_000;
const TRIM_EVERY_MS = 3_600_000;

/** A message as it stands in the ledger. */
export interface LedgerEntry extends Delivery {
  readonly id: number;
  readonly key: string;
  /** When its present attempt began, epoch milliseconds. */
  readonly begunAt: number;
}

/** What an agent keeps beside the rest. */
export interface LedgerExtras {
  /** Columns of each message, such as `sid TEXT`; null in a new one, and fields of its entry. */
  readonly columns?: readonly string[];
  /** Statements that make further tables and indexes. */
  readonly tables?: string;
}

type Value = string | number | null;

export class DeliveryLedger<E extends LedgerEntry = LedgerEntry> implements DeliveryStore {
  readonly #file: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #trimmedAt = 0;

  /** Opens or makes the file at `path`; `:memory:` keeps nothing. Throws when it cannot be read or is no ledger. */
  constructor(path: string, { columns = [], tables = "" }: LedgerExtras = {}) {
    this.#file = new DatabaseSync(path);
    this.#file.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
    this.#file.exec(tablesWith(columns));
    this.#file.exec(tables);
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
    return this.entries("key = ? AND untilAt > ?", [key, nowAt])[0];
  }

  set(key: string, delivery: Delivery, ttlMs: number, nowAt: number): void {
    const { user, address, notification, destination, attempt, report } = delivery;
    const said = report === null ? null : JSON.stringify(report);
    this.run(
      `INSERT INTO messages (key, user, address, notification, destination, attempt, report, begunAt, changedAt, untilAt)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET destination = excluded.destination, attempt = excluded.attempt,
         report = excluded.report, changedAt = excluded.changedAt, untilAt = excluded.untilAt
         ${report === null ? ", begunAt = excluded.begunAt" : ""}`,
      [key, user, address, notification, destination, attempt, said, nowAt, nowAt, nowAt + ttlMs],
    );
    if (nowAt - this.#trimmedAt >= TRIM_EVERY_MS) {
      this.#trimmedAt = nowAt;
      this.trim(nowAt);
    }
  }

  entry(key: string): E | undefined {
    return this.entries("key = ?", [key])[0];
  }

  byId(id: number): E | undefined {
    return this.entries("id = ?", [id])[0];
  }

  /** What was reported at `sinceAt` or later, oldest first: a life before this one may have died before it said so. */
  reportsSince(sinceAt: number): DeliveryReport[] {
    const rows = this.all(
      `SELECT changedAt AS at, report FROM messages WHERE changedAt >= ? AND report IS NOT NULL
       UNION ALL SELECT at, report FROM deeds WHERE at >= ? AND report IS NOT NULL ORDER BY at`,
      [sinceAt, sinceAt],
    );
    return rows.map(({ report }) => JSON.parse(String(report)) as DeliveryReport);
  }

  /** Notes the answer `id`, with what is to be reported of it. False when it was noted before. */
  noteDeed(id: string, report: DeliveryReport | null, nowAt: number): boolean {
    const said = report === null ? null : JSON.stringify(report);
    return this.run("INSERT OR IGNORE INTO deeds (id, at, report) VALUES (?, ?, ?)", [id, nowAt, said]) > 0;
  }

  /** Whether the answer `id` was noted. */
  hasDeed(id: string): boolean {
    return this.all("SELECT 1 FROM deeds WHERE id = ?", [id]).length > 0;
  }

  close(): void {
    this.#file.close();
  }

  /** Forgets what is too old or too much; called once an hour at most. */
  protected trim(nowAt: number): void {
    this.run("DELETE FROM messages WHERE begunAt <= ?", [nowAt - KEPT_MS]);
    this.run("DELETE FROM deeds WHERE at <= ?", [nowAt - KEPT_MS]);
    this.run(
      "DELETE FROM messages WHERE id IN (SELECT id FROM messages ORDER BY begunAt DESC LIMIT -1 OFFSET ?)",
      [MAX_MESSAGES],
    );
  }

  /** The messages for which the condition `where` holds. */
  protected entries(where: string, values: readonly Value[]): E[] {
    return this.all(`SELECT * FROM messages WHERE ${where}`, values).map((row) => {
      const { report, changedAt: _, untilAt: __, ...rest } = row;
      return { ...rest, report: report === null ? null : JSON.parse(String(report)) } as unknown as E;
    });
  }

  protected all(sql: string, values: readonly Value[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values);
  }

  /** Returns how many rows have changed. */
  protected run(sql: string, values: readonly Value[]): number {
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

function tablesWith(columns: readonly string[]): string {
  return `
    CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, user TEXT NOT NULL, address TEXT NOT NULL,
      notification TEXT NOT NULL, destination TEXT NOT NULL, attempt INTEGER NOT NULL, report TEXT,
      begunAt INTEGER NOT NULL, changedAt INTEGER NOT NULL, untilAt INTEGER NOT NULL
      ${columns.map((column) => `, ${column}`).join("")}
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messagesByTime ON messages (begunAt);
    CREATE INDEX IF NOT EXISTS messagesByChange ON messages (changedAt);
    CREATE TABLE IF NOT EXISTS deeds (id TEXT PRIMARY KEY, at INTEGER NOT NULL, report TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS deedsByTime ON deeds (at);`;
}
