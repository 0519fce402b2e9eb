/**
 * When and how the rows of a shard get into the checkpoints, and the journal behind them is trimmed.
 *
 * A host has many shards, and one item changes all of them in the same moment: each waits for a time of its own, so that their
 * checkpoints do not come together as well.
 */
import { crashPoint, type Log } from "@tidings/runtime";
import type { Checkpoint } from "./checkpoint.ts";
import type { Journal } from "./journal.ts";
import type { Piece, Stored } from "./pieces.ts";
import type { Position } from "./protocol/record.ts";
import { type Entry, type Range, type Row, sizeOf } from "./rows.ts";

const AT_RECORDS = 2_000;
/** Pause after a run that failed (milliseconds): each leaves a number in the state for ever. */
const RETRY_AFTER_MS = 5_000;
/** Of the longest wait, the least: what lies between is drawn. */
const LEAST_WAIT = 0.5;
/** A timer may be a little early by the clock that is asked (milliseconds). */
const TIMER_MS = 5;
/** What a new owner reads from the journal in one or two requests (characters): DynamoDB answers with a megabyte at a time. */
const SHORT_CHARS = 1_000_000;
/** What is read from the file in one tick: so many rows, or rows of so many avatars, which fill a request. */
const SLICE_ROWS = 500;
const SLICE_AVATARS = 25;
/** One in so many pieces of an avatar is a whole, at random, so that nobody needs to count them. */
const PIECES_TO_A_WHOLE = 48;
/** An avatar that was read from so many pieces gets a whole when it changes next. */
const MANY_PIECES = 128;

export interface CheckpointerOptions {
  readonly checkpoint: Checkpoint;
  readonly journal: Journal;
  readonly epoch: number;
  /** Changes get into a checkpoint at the latest after this (milliseconds), or after 2,000 records. */
  readonly afterMs: number;
  readonly log: Log;
  /** Reads journalled values: everything marked so far must be visible. `undefined` = deleted. */
  readonly read: (avatar: string, key: string) => string | undefined;
  /** Lists journalled rows of an avatar that {@link isHydrated}, as {@link read} sees them. */
  readonly list: (avatar: string, range: Range) => readonly Entry[];
  /** How many there are. */
  readonly count: (avatar: string) => number;
  /** Whether all rows of the avatar are here, and not only those that have changed. */
  readonly isHydrated: (avatar: string) => boolean;
  /** Brings what is marked so far into what {@link read} and {@link isNew} see. */
  readonly settle: () => void;
  /** Whether the row was surely not there before the change that is being marked. */
  readonly isNew: (avatar: string, key: string) => boolean;
  /** Pauses are measured by it, because the wall clock may be set (milliseconds). */
  readonly monotonicMs: () => number;
  /** A checkpoint is due by time though nothing is committed: {@link Checkpointer.startIfDue} is to be called where one may begin. */
  readonly onDue: () => void;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  /** Rows changed since the last checkpoint. */
  #changed: Changed = new Map();
  /** Size of the records behind the last checkpoint. */
  #chars = 0;
  #position: Position;
  /** When what has changed is to be written, by the monotonic clock; null: nothing has. */
  #dueMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #retryMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;
  #closed = false;
  /** Avatars that are in many pieces. */
  readonly #scattered = new Set<string>();

  constructor(options: CheckpointerOptions, position: Position) {
    this.#options = options;
    this.#position = position;
  }

  /** Notes what a journal record has changed. `isReplayed` records may have been in a checkpoint that was broken off. */
  mark(rows: readonly Row[], isReplayed = false): void {
    this.#chars += sizeOf(rows);
    for (const { avatar, key } of rows) {
      const keys = keysIn(this.#changed, avatar);
      if (!keys.has(key)) keys.set(key, isReplayed || !this.#options.isNew(avatar, key));
    }
    this.#setDue();
  }

  /** The rows of `avatar` were read from the checkpoints. */
  noteStored(avatar: string, { entries, pieces }: Stored): void {
    if (pieces >= Math.max(MANY_PIECES, entries.length / SLICE_ROWS)) this.#scattered.add(avatar);
  }

  /** A new owner reads what is not in the checkpoints from the journal sooner than this one writes it into them. */
  get isShort(): boolean {
    return this.#chars < SHORT_CHARS;
  }

  /** Starts a checkpoint up to `seq` when enough has come together. */
  startIfDue(seq: number): void {
    const nowMs = this.#options.monotonicMs();
    if (this.#running !== null || this.#closed || this.#changed.size === 0 || nowMs < this.#retryMs) return;
    const isDue = seq - this.#position.seq >= AT_RECORDS || nowMs >= (this.#dueMs ?? nowMs);
    if (isDue) this.start(seq);
  }

  /** Starts a checkpoint up to the durable sequence `seq`; resolves when it is written, or was given up for now. */
  start(seq: number): Promise<void> {
    this.#running ??= this.#run(seq).finally(() => {
      this.#running = null;
      this.#setDue();
      // The timer may have run out meanwhile.
      if (this.#dueMs !== null) this.#startIn(Math.max(0, this.#dueMs - this.#options.monotonicMs()));
    });
    return this.#running;
  }

  /** Ends what runs after its present slice. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  /** What has changed is written after a time that is drawn, also when nothing comes after it. */
  #setDue(): void {
    if (this.#changed.size === 0 || this.#dueMs !== null || this.#closed) return;
    const { afterMs, monotonicMs } = this.#options;
    const retryInMs = this.#retryMs - monotonicMs();
    const waitMs = retryInMs > 0 ? retryInMs : afterMs * (LEAST_WAIT + Math.random() * (1 - LEAST_WAIT));
    this.#dueMs = monotonicMs() + waitMs;
    this.#startIn(waitMs);
  }

  #startIn(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#options.onDue();
      // Not now, such as while the disk is full.
      if (this.#running === null && this.#changed.size > 0 && !this.#closed) this.#startIn(RETRY_AFTER_MS);
    }, ms + TIMER_MS).unref();
  }

  /** What changes while this runs has its time from then on, so that a slow run does not put it off. */
  async #run(seq: number): Promise<void> {
    const { checkpoint, journal, epoch, log, settle, monotonicMs } = this.#options;
    let taken: Changed = new Map();
    let chars = 0;
    this.#dueMs = null;
    try {
      const run = await checkpoint.begin(Date.now(), monotonicMs());
      if (run === null) return;
      settle();
      taken = this.#changed;
      [chars, this.#chars] = [this.#chars, 0];
      this.#changed = new Map();
      this.#dueMs = null; // Of what came before it was taken.
      const wholes: Wholes = new Map();
      for (const slice of slices(taken)) {
        if (this.#closed) return;
        await this.#writeSlice(slice, run, wholes);
      }
      if (this.#closed) return;
      crashPoint("checkpoint.rows.after");
      if (!(await checkpoint.finish(run, { seq, epoch }))) throw new Error("a back-up has begun meanwhile");
      crashPoint("checkpoint.advance.after");
      taken = new Map();
      chars = 0;
      this.#position = { seq, epoch };
      await journal.trim(seq);
      crashPoint("journal.trim.after");
      for (const [avatar, hasRows] of wholes) await checkpoint.sweep(avatar, run, hasRows);
    } catch (error) {
      this.#retryMs = monotonicMs() + RETRY_AFTER_MS;
      log.warn({ err: error }, "checkpoint failed, will be tried again");
      this.#dueMs = null;
    } finally {
      this.#chars += chars;
      for (const [avatar, keys] of taken)
        for (const key of keys.keys()) keysIn(this.#changed, avatar).set(key, true);
    }
  }

  /** Reads the slice's values in one tick, then writes them. An avatar that is one of `wholes` has been written in this run. */
  async #writeSlice(slice: readonly ChangedRows[], run: number, wholes: Wholes): Promise<void> {
    const scattered: string[] = [];
    const pieces: Piece[] = [];
    for (const [avatar, keys] of slice) {
      if (wholes.has(avatar)) continue;
      const rows = this.#rowsToWrite(avatar, keys);
      if (this.#wantsWhole(avatar, rows)) scattered.push(avatar);
      else if (rows.length > 0) pieces.push({ avatar, rows, isWhole: false });
    }
    await this.#options.checkpoint.write(pieces, run);
    for (const avatar of scattered) wholes.set(avatar, await this.#writeWhole(avatar, run));
  }

  /** A row that came and went between two runs costs nothing. */
  #rowsToWrite(avatar: string, keys: readonly ChangedKey[]): Piece["rows"] {
    const rows = keys.map(([key, mayBeStored]) => {
      const value = this.#options.read(avatar, key) ?? null;
      return { key, value, isToWrite: value !== null || mayBeStored };
    });
    const written = rows.filter(({ isToWrite }) => isToWrite).map(({ key, value }) => ({ key, value }));
    this.#noteStored(avatar, written);
    return written;
  }

  /** What is written now must be removed when it goes, even if it has come anew since this run began. */
  #noteStored(avatar: string, rows: Piece["rows"]): void {
    const changed = this.#changed.get(avatar);
    if (changed === undefined) return;
    for (const { key, value } of rows) if (value !== null && changed.has(key)) changed.set(key, true);
  }

  /** Also of an avatar that is gone: what was erased is not to stay in pieces that do not count. */
  #wantsWhole(avatar: string, rows: Piece["rows"]): boolean {
    const { isHydrated, list } = this.#options;
    if (rows.length === 0 || !isHydrated(avatar)) return false;
    if (this.#scattered.has(avatar) || this.#isDrawn(avatar)) return true;
    return rows.every(({ value }) => value === null) && list(avatar, { ...ALL, limit: 1 }).length === 0;
  }

  /** The longer an avatar is, the seldomer all of it is written: no more in the long run than so many rows each time. */
  #isDrawn(avatar: string): boolean {
    if (Math.random() * PIECES_TO_A_WHOLE >= 1) return false;
    return Math.random() * this.#options.count(avatar) < SLICE_ROWS * PIECES_TO_A_WHOLE;
  }

  /** Writes all rows of the avatar, a part in each tick: what changes meanwhile is in the journal. True when there are any. */
  async #writeWhole(avatar: string, run: number): Promise<boolean> {
    const { list, checkpoint } = this.#options;
    let from = "";
    for (let isFirst = true; !this.#closed; isFirst = false) {
      const rows = list(avatar, { ...ALL, from, limit: SLICE_ROWS });
      this.#noteStored(avatar, rows);
      if (isFirst || rows.length > 0) await checkpoint.write([{ avatar, rows, isWhole: isFirst }], run);
      if (rows.length < SLICE_ROWS) {
        this.#scattered.delete(avatar);
        return !isFirst || rows.length > 0;
      }
      from = `${rows.at(-1)?.key}\0`;
    }
    return true;
  }
}

const ALL: Range = { from: "", to: "\uffff" };

/** The avatars that a run has written as a whole: whether they have any rows. */
type Wholes = Map<string, boolean>;

/** By avatar and key: whether the row may be in the checkpoints. */
type Changed = Map<string, Map<string, boolean>>;
type ChangedKey = readonly [key: string, mayBeStored: boolean];
type ChangedRows = readonly [avatar: string, keys: readonly ChangedKey[]];

function keysIn(changed: Changed, avatar: string): Map<string, boolean> {
  let keys = changed.get(avatar);
  if (keys === undefined) {
    keys = new Map();
    changed.set(avatar, keys);
  }
  return keys;
}

function* slices(changed: Changed): Generator<ChangedRows[]> {
  let slice: ChangedRows[] = [];
  let rows = 0;
  for (const [avatar, keys] of changed) {
    const all = [...keys];
    for (let from = 0; from < all.length; from += SLICE_ROWS) {
      const part = all.slice(from, from + SLICE_ROWS);
      slice.push([avatar, part]);
      rows += part.length;
      if (slice.length < SLICE_AVATARS && rows < SLICE_ROWS) continue;
      yield slice;
      [slice, rows] = [[], 0];
    }
  }
  if (slice.length > 0) yield slice;
}
