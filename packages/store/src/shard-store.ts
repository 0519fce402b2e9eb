/**
 * The store of one shard while this host owns it.
 *
 *     write ──▶ staged ──journal put──▶ durable ──▶ effects leave (output gate)
 *                 └─▶ overlay ─────────────┴──every 500 ms──▶ SQLite file ──behind──▶ checkpoints, journal trimmed
 *
 * Group commit: while one journal put is under way, what is written meanwhile is staged and becomes the next record.
 * Invariant: what is in the file is in the journal; what has left the host is in the journal.
 */
import type { Background, Log } from "@tidings/runtime";
import { Checkpoint } from "./checkpoint.ts";
import type { CheckpointState } from "./checkpoint-state.ts";
import { Checkpointer } from "./checkpointer.ts";
import { count } from "./commit-count.ts";
import { DiskError, fileError, TornFileError } from "./file-error.ts";
import { fileInHistory } from "./file-history.ts";
import { FileTail } from "./file-tail.ts";
import { decodeGroup, encodeGroup } from "./group-codec.ts";
import { Journal, JournalClosedError } from "./journal.ts";
import { LocalFile } from "./local-file.ts";
import { Overlay } from "./overlay.ts";
import type { Stored } from "./pieces.ts";
import type { PreparedRows } from "./prepared-rows.ts";
import type { Position } from "./protocol/record.ts";
import { type Entry, type Range, type Row, sizeOf } from "./rows.ts";
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
  /** Changes get into the checkpoints at the latest after this, or after 2,000 records (milliseconds); default a minute. */
  readonly checkpointAfterMs?: number;
  /** Writes to the file go through it in small pieces. */
  readonly background: Background;
  /** Called once when the store cannot go on: deposed, or the journal refuses for good. Nothing is durable after it. */
  readonly onLost: (error: Error) => void;
  /** Null while the owner is sure of its ownership, else what effects must wait for. Without it owners are always sure. */
  readonly assured?: () => Promise<void> | null;
  /** The own monotonic clock (milliseconds); the process's when not given. */
  readonly monotonicMs?: () => number;
  /** What was read of the shard while its last owner still had it. */
  readonly prepared?: PreparedRows | undefined;
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
  readonly #tail: FileTail;
  /** The slot of the last group that is in {@link #tail} or in the file. */
  #settledSeq = 0;
  #isOpen = true;

  private constructor(
    options: ShardStoreOptions<Told>,
    journal: Journal,
    file: LocalFile,
    checkpoint: Checkpoint,
    checkpointed: Position,
  ) {
    this.#options = options;
    this.epoch = options.epoch;
    this.#journal = journal;
    this.#file = file;
    this.#checkpoint = checkpoint;
    const { epoch, log, background, monotonicMs = () => performance.now() } = options;
    this.#tail = new FileTail({
      file,
      log,
      background,
      onWritten: (rows) => this.#overlay.drop(rows),
      onGivenUp: (error) => this.#lose(error),
    });
    const settle = () => {
      if (!this.#tail.flush()) throw new DiskError(`${options.path} is behind the journal`);
    };
    const reads = <A extends readonly unknown[], T>(read: (...args: A) => T) => {
      return (...args: A): T => {
        settle();
        return this.#reading(() => read(...args));
      };
    };
    // Rows of the shard itself come and go (frames, alarms); those of avatars stay, and are not looked up for it.
    const isNew = (avatar: string, key: string) =>
      avatar.startsWith("_") && file.isHydrated(avatar) && file.get(avatar, key) === undefined;
    const terms = {
      ...{ checkpoint, journal, epoch, log, settle, isNew, monotonicMs },
      afterMs: options.checkpointAfterMs ?? 60_000,
      read: reads((avatar: string, key: string) => file.get(avatar, key)),
      list: reads((avatar: string, range: Range) => file.list(avatar, range)),
      count: (avatar: string) => this.#reading(() => file.countOf(avatar)),
      isHydrated: (avatar: string) => this.isHydrated(avatar),
      onDue: () => this.#checkpointIfDue(),
    };
    this.#checkpointer = new Checkpointer(terms, checkpointed);
  }

  /**
   * Takes over the shard's data for `options.epoch`: fences the journal, then brings the local file up to date from it, or
   * begins a new file when the old one is not in the journal's history. Rejects with DeposedError.
   */
  static async open<Told = never>(options: ShardStoreOptions<Told>): Promise<ShardStore<Told>> {
    const { table, silo, shard, epoch, path, log } = options;
    // First, because a disk that does not let it open should not cost a fence at each try.
    const file = LocalFile.open(path, `${silo}#${shard}`, log);
    const journal = new Journal(table, silo, shard);
    const checkpoint = new Checkpoint(table, silo, shard);
    try {
      let claimed: CheckpointState | undefined;
      await journal.fence(epoch, async () => {
        claimed = await checkpoint.claim(epoch);
        return claimed;
      });
      // From the claim on nobody else moves it.
      const checkpointed = claimed ?? (await checkpoint.state());
      const usable = await fileInHistory(file, { ...options, checkpointed, journal });
      return await ShardStore.#begin(options, journal, usable, checkpoint, checkpointed);
    } catch (cause) {
      file.close();
      const error = fileError(cause, path);
      if (error instanceof TornFileError) LocalFile.remove(path);
      throw error;
    }
  }

  static async #begin<Told>(
    options: ShardStoreOptions<Told>,
    journal: Journal,
    file: LocalFile,
    checkpoint: Checkpoint,
    checkpointed: CheckpointState,
  ): Promise<ShardStore<Told>> {
    try {
      file.history = checkpointed.history;
      if (file.position.seq === 0 && checkpointed.seq === 0) file.markComplete();
      const store = new ShardStore(options, journal, file, checkpoint, checkpointed);
      await store.#catchUp(checkpointed);
      for (const [avatar, stored] of options.prepared?.take(checkpointed) ?? [])
        if (!file.isHydrated(avatar)) store.#hydrate(avatar, stored);
      return store;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** False once the store is closed or lost: nothing can be read or written any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Characters not yet in the journal, or kept in memory because the disk fails: the measure of back-pressure. */
  get backlogChars(): number {
    return this.#stagedChars + this.#tail.stuckChars;
  }

  /** Whether `avatar` can be read at once; when not, {@link hydrate} must have resolved before. */
  isHydrated(avatar: string): boolean {
    return this.#reading(() => this.#file.isHydrated(avatar));
  }

  /** Reads an avatar's rows from the checkpoints into the file, once. */
  async hydrate(avatar: string): Promise<void> {
    if (this.isHydrated(avatar)) return;
    const stored = await this.#checkpoint.read(avatar);
    if (this.#isOpen && !this.isHydrated(avatar)) this.#hydrate(avatar, stored);
  }

  #hydrate(avatar: string, stored: Stored): void {
    this.#file.hydrate(avatar, stored.entries);
    this.#checkpointer.noteStored(avatar, stored);
  }

  /** The value of a row of a hydrated avatar, or undefined. */
  get(avatar: string, key: string): string | undefined {
    const newer = this.#overlay.get(avatar, key);
    return newer === undefined
      ? this.#reading(() => this.#file.get(avatar, key))
      : (newer.value ?? undefined);
  }

  /** Rows of a hydrated avatar in the order of their keys. */
  list(avatar: string, range: Range): Entry[] {
    return this.#reading(() => this.#overlay.list(avatar, range, (part) => this.#file.list(avatar, part)));
  }

  /** Rows in any of `ranges`, asked for together; null when some of the avatar's rows are newer than the file. */
  listSeveral(avatar: string, ranges: readonly Range[]): Entry[] | null {
    if (this.#overlay.has(avatar)) return null;
    return this.#reading(() => this.#file.listSeveral(avatar, ranges));
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

  /** Writes what is durable into the checkpoints where the journal behind them is long, so that the next owner has little to read back. */
  async checkpointIfLong(): Promise<void> {
    if (this.#isOpen && !this.#checkpointer.isShort) await this.#checkpointer.start(this.#settledSeq);
  }

  /**
   * Before a hand-over: writes a checkpoint where the journal is long; then the checkpoints stay as they are. Resolves with those
   * of `avatars` that the next owner does well to read before it takes the shard, the longest first.
   */
  async prepareRelease(avatars: Iterable<string>): Promise<string[]> {
    await this.checkpointIfLong();
    await this.#checkpointer.close();
    return this.#isOpen ? this.#reading(() => this.#file.longest(avatars)) : [];
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
    this.#tail.flush();
    // A file that was found torn has closed the store just now.
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tail.close();
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
    for await (const record of this.#journal.read(checkpointed)) {
      const rows = decodeGroup(record.blob);
      this.#checkpointer.mark(rows, true);
      if (record.seq > at) this.#file.apply(rows, { epoch: record.epoch, seq: record.seq });
    }
    this.#settledSeq = this.#journal.seq;
    this.#file.apply([], { epoch, seq: this.#settledSeq });
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
    await this.#options.assured?.();
    if (!this.#isOpen) return;
    count(commits.length);
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
    this.#settledSeq = seq;
    this.#tail.add(rows, sizeOf(rows), { epoch: this.epoch, seq });
    this.#checkpointer.mark(rows);
    this.#checkpointIfDue();
  }

  #checkpointIfDue(): void {
    if (this.#isOpen && this.#tail.stuckChars === 0) this.#checkpointer.startIfDue(this.#settledSeq);
  }

  /** Reads from the file. When that fails the shard is lost: what is read must be true, and a retry would not make it so. */
  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const error = fileError(cause, this.#options.path);
      if (error instanceof TornFileError || error instanceof DiskError) this.#lose(error);
      throw error;
    }
  }

  /** The file cannot be used any more: nothing of what comes after may leave the host. */
  #lose(error: Error): void {
    if (!this.#isOpen) return;
    this.#tail.close();
    this.close();
    if (error instanceof TornFileError) LocalFile.remove(this.#options.path);
    this.#options.onLost(error);
  }
}
