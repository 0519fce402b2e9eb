/**
 * When and how the rows of a shard get into the checkpoints, and the journal behind them is trimmed.
 *
 * A host has many shards, and one item changes all of them in the same moment: each waits for a time of its own, so that their
 * checkpoints do not come together as well.
 */
import { crashPoint, type Log } from "@tidings/runtime";
import type { Checkpoint } from "./checkpoint.ts";
import type { Journal } from "./journal.ts";
import type { Position } from "./protocol/record.ts";
import { type Row, sizeOf } from "./rows.ts";

const AT_RECORDS = 2_000;
/** Pause after a run that failed (milliseconds): each leaves a number in the state for ever. */
const RETRY_AFTER_MS = 5_000;
/** Of the longest wait, the least: what lies between is drawn. */
const LEAST_WAIT = 0.5;
/** A timer may be a little early by the clock that is asked (milliseconds). */
const TIMER_MS = 5;
/** What a new owner reads from the journal in one or two requests (characters): DynamoDB answers with a megabyte at a time. */
const SHORT_CHARS = 1_000_000;
const SLICE_ROWS = 200;
const WRITES_AT_ONCE = 4;

export interface CheckpointerOptions {
  readonly checkpoint: Checkpoint;
  readonly journal: Journal;
  readonly epoch: number;
  /** Changes get into a checkpoint at the latest after this (milliseconds), or after 2,000 records. */
  readonly afterMs: number;
  readonly log: Log;
  /** Reads journalled values: everything marked so far must be visible. `undefined` = deleted. */
  readonly read: (avatar: string, key: string) => string | undefined;
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
      for (const slice of slices(taken)) {
        if (this.#closed) return;
        await this.#writeSlice(slice, run);
      }
      crashPoint("checkpoint.rows.after");
      if (!(await checkpoint.finish(run, { seq, epoch }))) throw new Error("a back-up has begun meanwhile");
      crashPoint("checkpoint.advance.after");
      taken = new Map();
      chars = 0;
      this.#position = { seq, epoch };
      await journal.trim(seq);
      crashPoint("journal.trim.after");
    } catch (error) {
      this.#retryMs = monotonicMs() + RETRY_AFTER_MS;
      log.warn({ err: error }, "checkpoint failed, will be tried again");
      this.#dueMs = null;
    } finally {
      this.#chars += chars;
      for (const [avatar, key] of entriesOf(taken)) keysIn(this.#changed, avatar).set(key, true);
    }
  }

  /** Reads the slice's values in one tick, then writes them. A row that came and went between two runs costs nothing. */
  async #writeSlice(slice: readonly ChangedRow[], run: number): Promise<void> {
    const rows: Row[] = [];
    for (const [avatar, key, mayBeStored] of slice) {
      const value = this.#options.read(avatar, key) ?? null;
      if (value !== null || mayBeStored) rows.push({ avatar, key, value });
      // What is written now must be removed when it goes, even if it has come anew since this run began.
      if (value !== null && this.#changed.get(avatar)?.has(key)) keysIn(this.#changed, avatar).set(key, true);
    }
    const next = rows.values();
    const worker = async () => {
      for (const row of next) await this.#options.checkpoint.write(row, run);
    };
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, worker));
  }
}

/** By avatar and key: whether the row may be in the checkpoints. */
type Changed = Map<string, Map<string, boolean>>;
type ChangedRow = readonly [avatar: string, key: string, mayBeStored: boolean];

function keysIn(changed: Changed, avatar: string): Map<string, boolean> {
  let keys = changed.get(avatar);
  if (keys === undefined) {
    keys = new Map();
    changed.set(avatar, keys);
  }
  return keys;
}

function* entriesOf(changed: Changed): Generator<ChangedRow> {
  for (const [avatar, keys] of changed)
    for (const [key, mayBeStored] of keys) yield [avatar, key, mayBeStored];
}

function* slices(changed: Changed): Generator<ChangedRow[]> {
  let slice: ChangedRow[] = [];
  for (const entry of entriesOf(changed)) {
    if (slice.push(entry) < SLICE_ROWS) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
