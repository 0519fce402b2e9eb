/**
 * The SQLite file of a shard: the authority while this host owns the shard. It runs with `synchronous=NORMAL`; what a
 * power loss takes, the journal gives back. A file that is torn, of another shard or of another layout is discarded.
 *
 * Opening it does not read it through, however long it is. SQLite's WAL keeps it whole through `kill -9` and power loss, and
 * a file that was cut off is seen at once; what a bad disk or a hand has changed in the middle is seen when it is read, by
 * SQLite in the tree of pages and by a checksum in each row.
 */
import { rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Log } from "@tidings/runtime";
import { fileError, TornFileError } from "./file-error.ts";
import type { Position } from "./protocol/record.ts";
import type { Entry, Range, Row } from "./rows.ts";

const LAYOUT = "2";
/** An avatar with as many rows takes so long to read from the checkpoints that it is noticed. */
const LONG_ROWS = 250;
/** Most avatars that are told of as long. */
const MOST_LONG = 64;
/** Beyond this the WAL is cut after it has been written back (bytes). */
const WAL_BYTES = 16_777_216;

interface StoredRow {
  readonly key: string;
  readonly value: string | null;
  readonly sum: number;
}

const IN_RANGE =
  "SELECT key, value, sum FROM rows WHERE avatar = ? AND key >= ? AND key < ? AND value IS NOT NULL";

export class LocalFile {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #forward: StatementSync;
  readonly #backward: StatementSync;
  readonly #hydrated: StatementSync;
  readonly #count: StatementSync;
  /** Statements for several ranges, by how many there are of which kind. */
  readonly #several = new Map<string, StatementSync>();
  #isComplete: boolean;

  private constructor(path: string) {
    this.path = path;
    const db = new DatabaseSync(path);
    this.#db = db;
    db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-512;
      PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=${WAL_BYTES}`);
    db.exec(`CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS rows (avatar TEXT, key TEXT, value TEXT, sum INTEGER, PRIMARY KEY (avatar, key)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS hydrated (avatar TEXT PRIMARY KEY) WITHOUT ROWID`);
    this.#get = db.prepare("SELECT key, value, sum FROM rows WHERE avatar = ? AND key = ?");
    this.#put = db.prepare(
      "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, sum = excluded.sum",
    );
    this.#delete = db.prepare("DELETE FROM rows WHERE avatar = ? AND key = ?");
    this.#forward = db.prepare(`${IN_RANGE} ORDER BY key LIMIT ?`);
    this.#backward = db.prepare(`${IN_RANGE} ORDER BY key DESC LIMIT ?`);
    this.#hydrated = db.prepare("SELECT 1 FROM hydrated WHERE avatar = ?");
    this.#count = db.prepare("SELECT count(*) AS rows FROM rows WHERE avatar = ?");
    this.#isComplete = this.#meta("complete") === "yes";
  }

  /**
   * Opens the file at `path` for the shard called `name`; one that cannot be used is removed and begun anew, with a line in
   * `log`. Throws {@link DiskError} when the disk does not let it.
   */
  static open(path: string, name: string, log: Log): LocalFile {
    const found = LocalFile.#openAny(path, name);
    if (found instanceof LocalFile) return found;
    log.warn({ path, why: found }, "local file cannot be used, beginning a new one");
    LocalFile.remove(path);
    const begun = LocalFile.#openAny(path, name);
    if (begun instanceof LocalFile) return begun;
    throw new TornFileError(`${path} is not what was written to it a moment ago: ${begun}`);
  }

  /** The file, or why it cannot be used. */
  static #openAny(path: string, name: string): LocalFile | string {
    let file: LocalFile | null = null;
    try {
      file = new LocalFile(path);
      if (file.#meta("layout") === undefined) file.#begin(name);
      if (file.#meta("layout") === LAYOUT && file.#meta("name") === name) return file;
      const why = `it is of ${file.#meta("name")} in layout ${file.#meta("layout")}`;
      file.close();
      return why;
    } catch (cause) {
      file?.close();
      const error = fileError(cause, path);
      if (error instanceof TornFileError) return error.message;
      throw error;
    }
  }

  static remove(path: string): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  }

  /** What was applied last; zeros for a new file. */
  get position(): Position {
    return { epoch: Number(this.#meta("epoch") ?? 0), seq: Number(this.#meta("seq") ?? 0) };
  }

  /** Names the journal that the file belongs to; empty for a new file. */
  get history(): string {
    return this.#meta("history") ?? "";
  }

  set history(name: string) {
    this.#setMeta("history", name);
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
        if (value !== null || !this.isHydrated(avatar))
          this.#put.run(avatar, key, value, sumOf(avatar, key, value));
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
    const insert = this.#db.prepare("INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    this.#transaction(() => {
      for (const { key, value } of entries) insert.run(avatar, key, value, sumOf(avatar, key, value));
      this.#db.prepare("DELETE FROM rows WHERE avatar = ? AND value IS NULL").run(avatar);
      this.#db.prepare("INSERT OR IGNORE INTO hydrated VALUES (?)").run(avatar);
    });
  }

  get(avatar: string, key: string): string | undefined {
    const row = this.#get.get(avatar, key) as StoredRow | undefined;
    return row === undefined ? undefined : (this.#checked(avatar, row).value ?? undefined);
  }

  /** Entries in `range`. */
  list(avatar: string, range: Range): Entry[] {
    const statement = range.reverse ? this.#backward : this.#forward;
    return this.#entries(avatar, statement.all(avatar, range.from, range.to, range.limit ?? -1));
  }

  /**
   * Entries in any of `ranges`, those of one range in its order, in a quarter of the time that one question for each takes:
   * what SQLite is asked costs less than the asking.
   */
  listSeveral(avatar: string, ranges: readonly Range[]): Entry[] {
    const kinds = ranges.map(({ limit, reverse }) => `${limit ?? -1}${reverse ? "-" : "+"}`).join();
    const statement = this.#several.get(kinds) ?? this.#db.prepare(questionFor(ranges));
    this.#several.set(kinds, statement);
    return this.#entries(avatar, statement.all(avatar, ...ranges.flatMap(({ from, to }) => [from, to])));
  }

  /** Every row of every avatar, those that are deleted left out. Nothing may be written meanwhile. */
  *all(): Generator<Row> {
    const statement = this.#db.prepare("SELECT avatar, key, value, sum FROM rows WHERE value IS NOT NULL");
    for (const row of statement.iterate() as Iterable<StoredRow & { avatar: string }>) {
      const { key, value } = this.#checked(row.avatar, row);
      yield { avatar: row.avatar, key, value };
    }
  }

  /** Those of `avatars` that have many rows, the longest first. */
  longest(avatars: Iterable<string>): string[] {
    const counted = [...avatars].map((avatar) => ({ avatar, rows: this.countOf(avatar) }));
    const long = counted.filter(({ rows }) => rows >= LONG_ROWS).sort((a, b) => b.rows - a.rows);
    return long.slice(0, MOST_LONG).map(({ avatar }) => avatar);
  }

  /** How many rows of `avatar` there are. */
  countOf(avatar: string): number {
    return (this.#count.get(avatar) as { rows: number }).rows;
  }

  /** How many rows the file holds. */
  count(): number {
    return (this.#db.prepare("SELECT count(*) AS rows FROM rows").get() as { rows: number }).rows;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #begin(name: string): void {
    this.#setMeta("layout", LAYOUT);
    this.#setMeta("name", name);
  }

  #entries(avatar: string, rows: readonly unknown[]): Entry[] {
    return (rows as readonly StoredRow[]).map((row) => {
      const { key, value } = this.#checked(avatar, row);
      return { key, value: value as string };
    });
  }

  #checked(avatar: string, row: StoredRow): StoredRow {
    if (row.sum === sumOf(avatar, row.key, row.value)) return row;
    throw new TornFileError(`${this.path} is torn (a row of ${avatar} is not what was written)`);
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
      // SQLite has rolled back by itself when the disk is full (https://www.sqlite.org/lang_transaction.html §3).
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** The ranges' bounds are ?2 and ?3, ?4 and ?5 …: the avatar is ?1 in each. */
function questionFor(ranges: readonly Range[]): string {
  const parts = ranges.map(({ limit, reverse }, at) => {
    const bounds = IN_RANGE.replace("avatar = ?", "avatar = ?1")
      .replace(">= ?", `>= ?${2 * at + 2}`)
      .replace("< ?", `< ?${2 * at + 3}`);
    return `SELECT * FROM (${bounds} ORDER BY key ${reverse ? "DESC" : ""} LIMIT ${limit ?? -1})`;
  });
  return parts.join(" UNION ALL ");
}

function sumOf(avatar: string, key: string, value: string | null): number {
  return crc32(`${avatar}\n${key}\n${value ?? ""}`);
}
