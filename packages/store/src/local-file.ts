/**
 * The SQLite file of a shard: the authority while this host owns the shard. It runs with `synchronous=NORMAL`; what a
 * power loss takes, the journal gives back. A file that is torn, of another shard or of another layout is discarded.
 */
import { rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Position } from "./protocol/record.ts";
import type { Entry, Range, Row } from "./rows.ts";

const LAYOUT = "1";

export class LocalFile {
  readonly #db: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #forward: StatementSync;
  readonly #backward: StatementSync;
  readonly #hydrated: StatementSync;
  #isComplete: boolean;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-512; PRAGMA wal_autocheckpoint=2000",
    );
    db.exec(`CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS rows (avatar TEXT, key TEXT, value TEXT, PRIMARY KEY (avatar, key)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS hydrated (avatar TEXT PRIMARY KEY) WITHOUT ROWID`);
    this.#get = db.prepare("SELECT value FROM rows WHERE avatar = ? AND key = ?");
    this.#put = db.prepare(
      "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    this.#delete = db.prepare("DELETE FROM rows WHERE avatar = ? AND key = ?");
    const range =
      "SELECT key, value FROM rows WHERE avatar = ? AND key >= ? AND key < ? AND value IS NOT NULL";
    this.#forward = db.prepare(`${range} ORDER BY key LIMIT ?`);
    this.#backward = db.prepare(`${range} ORDER BY key DESC LIMIT ?`);
    this.#hydrated = db.prepare("SELECT 1 FROM hydrated WHERE avatar = ?");
    this.#isComplete = this.#meta("complete") === "yes";
  }

  /** Opens the file at `path` for the shard called `name`; one that cannot be used is removed and begun anew. */
  static open(path: string, name: string): LocalFile {
    try {
      const file = new LocalFile(new DatabaseSync(path));
      if (file.#meta("layout") === undefined) file.#begin(name);
      if (file.#meta("layout") === LAYOUT && file.#meta("name") === name && file.#isSound()) {
        file.#setMeta("open", "yes");
        return file;
      }
      file.close();
    } catch (error) {
      if (!(error instanceof Error && "errcode" in error)) throw error;
    }
    LocalFile.remove(path);
    const file = new LocalFile(new DatabaseSync(path));
    file.#begin(name);
    return file;
  }

  static remove(path: string): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  }

  /** What was applied last; zeros for a new file. */
  get position(): Position {
    return { epoch: Number(this.#meta("epoch") ?? 0), seq: Number(this.#meta("seq") ?? 0) };
  }

  /** True when the file holds every avatar of the shard whole, so that no checkpoint need be read. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Applies journalled rows and moves the position, in one transaction. Until an avatar's checkpoints have been read a deleted
   * row stays as a tombstone, so that they do not bring it back.
   */
  apply(rows: readonly Row[], position: Position): void {
    this.#transaction(() => {
      for (const { avatar, key, value } of rows) {
        if (value !== null || !this.isHydrated(avatar)) this.#put.run(avatar, key, value);
        else this.#delete.run(avatar, key);
      }
      this.#setPosition(position);
    });
  }

  /** Marks a new file as whole: there is no checkpoint behind it. */
  markComplete(): void {
    this.#setMeta("complete", "yes");
    this.#isComplete = true;
  }

  isHydrated(avatar: string): boolean {
    return this.#isComplete || this.#hydrated.get(avatar) !== undefined;
  }

  /** Adds an avatar's checkpointed rows where the journal brought nothing newer. */
  hydrate(avatar: string, entries: readonly Entry[]): void {
    const insert = this.#db.prepare("INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#transaction(() => {
      for (const { key, value } of entries) insert.run(avatar, key, value);
      this.#db.prepare("DELETE FROM rows WHERE avatar = ? AND value IS NULL").run(avatar);
      this.#db.prepare("INSERT OR IGNORE INTO hydrated VALUES (?)").run(avatar);
    });
  }

  get(avatar: string, key: string): string | undefined {
    return (this.#get.get(avatar, key) as { value: string | null } | undefined)?.value ?? undefined;
  }

  /** Entries in `range`. */
  list(avatar: string, range: Range): Entry[] {
    const statement = range.reverse ? this.#backward : this.#forward;
    return statement.all(avatar, range.from, range.to, range.limit ?? -1) as unknown as Entry[];
  }

  close(): void {
    if (!this.#db.isOpen) return;
    this.#setMeta("open", "no");
    this.#db.close();
  }

  #begin(name: string): void {
    this.#setMeta("layout", LAYOUT);
    this.#setMeta("name", name);
  }

  /** A file that was closed in order is not read through again: the check costs as much as the file is long. */
  #isSound(): boolean {
    if (this.#meta("open") === "no") return true;
    const answer = this.#db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    return answer.quick_check === "ok";
  }

  #setPosition({ epoch, seq }: Position): void {
    this.#setMeta("epoch", String(epoch));
    this.#setMeta("seq", String(seq));
  }

  #meta(name: string): string | undefined {
    return (
      this.#db.prepare("SELECT value FROM meta WHERE name = ?").get(name) as { value: string } | undefined
    )?.value;
  }

  #setMeta(name: string, value: string): void {
    this.#db
      .prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .run(name, value);
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}
