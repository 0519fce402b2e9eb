/**
 * The store of one shard while this host owns it.
 *
 *     write ──▶ staged ──journal put──▶ durable ──▶ effects leave (output gate)
 *                 └─▶ overlay ─────────────┴──every 500 ms──▶ SQLite file ──behind──▶ checkpoints, journal trimmed
 *
 * Group commit: while one journal put is under way, what is written meanwhile is staged and becomes the next record.
 * Invariant: what is in the file is in the journal; what has left the host is in the journal.
 */
import { crashPoint, type Log } from "@tidings/runtime";
import { Checkpoint } from "./checkpoint.ts";
import { Checkpointer } from "./checkpointer.ts";
import { decodeGroup, encodeGroup } from "./group-codec.ts";
import { Journal, JournalClosedError } from "./journal.ts";
import { LocalFile, type Position } from "./local-file.ts";
import { Overlay } from "./overlay.ts";
import type { Entry, Range, Row } from "./rows.ts";
import type { Table } from "./table.ts";

export interface ShardStoreOptions<Told> {
  readonly table: Table;
  readonly silo: string;
  readonly shard: number;
  /** The owner's epoch; the journal is fenced with it. */
  readonly epoch: number;
  /** Path of the shard's SQLite file on this host. */
  readonly path: string;
  readonly log: Log;
  /** Called once when the store cannot go on: deposed, or the journal refuses for good. Nothing is durable after it. */
  readonly onLost: (error: Error) => void;
  /** Turns what the commits of a record have told into further rows of it: the frames in the outbox. */
  readonly onSeal: (told: readonly Told[]) => readonly Row[];
}

/** One atomic write: all of its rows, and those that become of what it told, are in the same record. */
export interface Commit<Told> {
  readonly rows: readonly Row[];
  readonly told?: readonly Told[];
  /** Called when the commit is in the journal, in the order of the writes: effects leave from here. */
  readonly onDurable?: () => void;
}

const FLUSH_AFTER_MS = 500;
const FLUSH_AT_ROWS = 10_000;
/** How long rows that nothing waits for may stay staged. */
const LAZY_MS = 500;
/** Characters at which a record is sealed though more is staged. */
const RECORD_CHARS = 450_000;
const COMMIT_CHARS = 8_000_000;

/** A turn's rows are too many for one record: its author must do the work in steps. */
export class CommitTooLargeError extends Error {
  override readonly name = "CommitTooLargeError";
}

export class ShardStore<Told = never> {
  readonly epoch: number;
  readonly #options: ShardStoreOptions<Told>;
  readonly #journal: Journal;
  readonly #checkpoint: Checkpoint;
  readonly #checkpointer: Checkpointer;
  readonly #file: LocalFile;
  readonly #overlay = new Overlay();
  #staged: { commit: Commit<Told>; chars: number }[] = [];
  #stagedChars = 0;
  #pumping: Promise<void> | null = null;
  #lazyTimer: NodeJS.Timeout | null = null;
  /** In the journal and not yet in the file. */
  #journalled: Row[] = [];
  #flushTimer: NodeJS.Timeout | null = null;
  #isOpen = true;

  private constructor(
    options: ShardStoreOptions<Told>,
    journal: Journal,
    file: LocalFile,
    checkpointed: Position,
  ) {
    this.#options = options;
    this.epoch = options.epoch;
    this.#journal = journal;
    this.#file = file;
    this.#checkpoint = new Checkpoint(options.table, options.silo, options.shard);
    const { epoch, log } = options;
    const read = (avatar: string, key: string) => {
      this.#flush();
      return file.get(avatar, key);
    };
    this.#checkpointer = new Checkpointer(
      { checkpoint: this.#checkpoint, journal, epoch, log, read },
      checkpointed,
      Date.now(),
    );
  }

  /**
   * Takes over the shard's data for `options.epoch`: fences the journal, then brings the local file up to date from it, or
   * begins a new file when the old one is not in the journal's history. Rejects with DeposedError.
   */
  static async open<Told = never>(options: ShardStoreOptions<Told>): Promise<ShardStore<Told>> {
    const { table, silo, shard, path, log } = options;
    const journal = new Journal(table, silo, shard);
    const checkpointed = await fenceBehind(journal, new Checkpoint(table, silo, shard), options.epoch);
    let file = LocalFile.open(path, `${silo}#${shard}`);
    if (!(await isInHistory(file.position, checkpointed, journal))) {
      log.warn(
        { shard, ...file.position },
        "local file is not in the journal's history, beginning a new one",
      );
      file.close();
      LocalFile.remove(path);
      file = LocalFile.open(path, `${silo}#${shard}`);
    }
    if (file.position.seq === 0 && checkpointed.seq === 0) file.markComplete();
    const store = new ShardStore(options, journal, file, checkpointed);
    await store.#catchUp(checkpointed);
    return store;
  }

  /** False once the store is closed or lost: nothing can be read or written any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Characters staged and not yet in the journal: the measure of back-pressure. */
  get backlogChars(): number {
    return this.#stagedChars;
  }

  /** Whether `avatar` can be read at once; when not, {@link hydrate} must have resolved before. */
  isHydrated(avatar: string): boolean {
    return this.#file.isHydrated(avatar);
  }

  /** Reads an avatar's rows from the checkpoints into the file, once. */
  async hydrate(avatar: string): Promise<void> {
    if (this.#file.isHydrated(avatar)) return;
    const entries = await this.#checkpoint.read(avatar);
    if (this.#isOpen && !this.#file.isHydrated(avatar)) this.#file.hydrate(avatar, entries);
  }

  /** The value of a row of a hydrated avatar, or undefined. */
  get(avatar: string, key: string): string | undefined {
    const newer = this.#overlay.get(avatar, key);
    return newer === undefined ? this.#file.get(avatar, key) : (newer.value ?? undefined);
  }

  /** Rows of a hydrated avatar in the order of their keys. */
  list(avatar: string, range: Range): Entry[] {
    return this.#overlay.list(avatar, range, (part) => this.#file.list(avatar, part));
  }

  /** Lets reads see rows that the next {@link write} will hold, so that turns of one commit see each other's. */
  show(rows: readonly Row[]): void {
    for (const row of rows) this.#overlay.set(row);
  }

  /** Writes atomically; reads see it at once. Throws {@link CommitTooLargeError}. A closed store takes nothing. */
  write(commit: Commit<Told>): void {
    if (this.#stage(commit)) this.#startPump();
  }

  /** Writes rows that nothing waits for, such as the removal of what was acknowledged, with the next record. */
  writeLazily(rows: readonly Row[]): void {
    if (!this.#stage({ rows })) return;
    this.#lazyTimer ??= setTimeout(() => {
      this.#lazyTimer = null;
      this.#startPump();
    }, LAZY_MS);
  }

  /** Resolves when all that was written is durable, or the store is lost. */
  async drained(): Promise<void> {
    this.#startPump();
    while (this.#pumping !== null) await this.#pumping;
  }

  /** Drains, says in the journal that this owner stops by itself, and closes. */
  async release(): Promise<void> {
    await this.drained();
    if (!this.#isOpen) return;
    await this.#checkpointer.close();
    await this.#journal.release();
    this.close();
  }

  /** Closes at once: what is not in the journal is given up, and its effects never leave. May be called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#isOpen = false;
    this.#journal.close();
    void this.#checkpointer.close();
    if (this.#lazyTimer !== null) clearTimeout(this.#lazyTimer);
    this.#file.close();
  }

  #stage(commit: Commit<Told>): boolean {
    if (!this.#isOpen) return false;
    const chars = sizeOf(commit.rows);
    if (chars > COMMIT_CHARS)
      throw new CommitTooLargeError(`${commit.rows.length} rows, ${chars} characters in one turn`);
    for (const row of commit.rows) this.#overlay.set(row);
    this.#staged.push({ commit, chars });
    this.#stagedChars += chars;
    return true;
  }

  /** Applies to the file what the journal has beyond it, and notes what the checkpoints lack. */
  async #catchUp(checkpointed: Position): Promise<void> {
    const { epoch } = this.#options;
    const at = this.#file.position.seq;
    for await (const record of this.#journal.read(checkpointed.seq, checkpointed.epoch)) {
      const rows = decodeGroup(record.blob);
      this.#checkpointer.mark(rows, record.seq);
      if (record.seq > at) this.#file.apply(rows, { epoch: record.epoch, seq: record.seq });
    }
    this.#file.apply([], { epoch, seq: this.#journal.seq });
  }

  /** Deferred by a microtask: a pump that ended before it is noted as running would block all that come after it. */
  #startPump(): void {
    if (this.#staged.length > 0) this.#pumping ??= Promise.resolve().then(() => this.#pump());
  }

  async #pump(): Promise<void> {
    // What the rest of this tick writes goes into the same record.
    await Promise.resolve();
    try {
      while (this.#staged.length > 0 && this.#isOpen) await this.#writeRecord();
    } catch (error) {
      this.close();
      if (!(error instanceof JournalClosedError)) this.#options.onLost(error as Error);
    } finally {
      this.#pumping = null;
    }
  }

  async #writeRecord(): Promise<void> {
    const commits = this.#take();
    const told = commits.flatMap((commit) => commit.told ?? []);
    const sealed = told.length === 0 ? [] : this.#options.onSeal(told);
    for (const row of sealed) this.#overlay.set(row);
    const rows = [...commits.flatMap((commit) => commit.rows), ...sealed];
    if (rows.length > 0) this.#settle(rows, await this.#journal.append(encodeGroup(rows)));
    if (!this.#isOpen) return;
    for (const commit of commits) commit.onDurable?.();
  }

  /** Takes the staged commits of the next record. */
  #take(): Commit<Told>[] {
    let chars = 0;
    let count = 0;
    for (const staged of this.#staged) {
      if (count > 0 && chars + staged.chars > RECORD_CHARS) break;
      chars += staged.chars;
      count++;
    }
    this.#stagedChars -= chars;
    return this.#staged.splice(0, count).map(({ commit }) => commit);
  }

  #settle(rows: readonly Row[], seq: number): void {
    if (!this.#isOpen) return;
    this.#journalled.push(...rows);
    this.#checkpointer.mark(rows, seq);
    if (this.#journalled.length >= FLUSH_AT_ROWS) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS);
    this.#checkpointer.startIfDue(seq, Date.now());
  }

  /** Writes the journalled rows to the file, sorted, because neighbours share a page. */
  #flush(): void {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    if (this.#journalled.length === 0 || !this.#isOpen) return;
    const rows = this.#journalled;
    this.#journalled = [];
    crashPoint("file.flush.before");
    this.#file.apply(newestInOrder(rows), { epoch: this.epoch, seq: this.#journal.seq });
    crashPoint("file.flush.after");
    this.#overlay.drop(rows);
  }
}

/**
 * Fences the journal and returns the position of the checkpoints. A fence that is not behind them has fallen into a gap that
 * the owner before has trimmed meanwhile, where it stops nobody: then another one is needed.
 */
async function fenceBehind(journal: Journal, checkpoint: Checkpoint, epoch: number): Promise<Position> {
  let floor = 0;
  for (;;) {
    const fence = await journal.fence(epoch, floor);
    crashPoint("fence.after");
    const checkpointed = await checkpoint.position();
    if (checkpointed.seq < fence) return checkpointed;
    floor = checkpointed.seq;
  }
}

/** A file is in the history when it ends where the checkpoints do, or at a record that is in the journal. */
async function isInHistory(file: Position, checkpointed: Position, journal: Journal): Promise<boolean> {
  if (file.seq === 0) return true;
  if (file.seq < checkpointed.seq) return false;
  if (file.seq === checkpointed.seq) return file.epoch === checkpointed.epoch;
  return (await journal.epochAt(file.seq)) === file.epoch;
}

function newestInOrder(rows: readonly Row[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) newest.set(`${row.avatar}\n${row.key}`, row);
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function sizeOf(rows: readonly Row[]): number {
  let chars = 0;
  for (const { key, value } of rows) chars += key.length + (value?.length ?? 0) + 16;
  return chars;
}
