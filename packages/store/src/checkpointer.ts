/** When and how the rows of a shard get into the checkpoints, and the journal behind them is trimmed. */
import { crashPoint, type Log } from "@tidings/runtime";
import type { Checkpoint } from "./checkpoint.ts";
import type { Journal } from "./journal.ts";
import type { Position } from "./local-file.ts";
import type { Row } from "./rows.ts";

const AT_RECORDS = 2_000;
const AFTER_MS = 60_000;
const SLICE_ROWS = 200;
const WRITES_AT_ONCE = 4;

export interface CheckpointerOptions {
  readonly checkpoint: Checkpoint;
  readonly journal: Journal;
  readonly epoch: number;
  readonly log: Log;
  /** Reads journalled values: everything marked so far must be visible. `undefined` = deleted. */
  readonly read: (avatar: string, key: string) => string | undefined;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  /** Rows changed since the last checkpoint, by avatar and key, with the journal sequence of their last change. */
  #changed = new Map<string, Map<string, number>>();
  #position: Position;
  #startedAt: number;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: CheckpointerOptions, position: Position, nowAt: number) {
    this.#options = options;
    this.#position = position;
    this.#startedAt = nowAt;
  }

  /** Notes what the journal record `seq` has changed. */
  mark(rows: readonly Row[], seq: number): void {
    for (const { avatar, key } of rows) markIn(this.#changed, avatar, key, seq);
  }

  /** Starts a checkpoint up to `seq` when enough has come together. */
  startIfDue(seq: number, nowAt: number): void {
    if (this.#running !== null || this.#closed || this.#changed.size === 0) return;
    const isDue = seq - this.#position.seq >= AT_RECORDS || nowAt - this.#startedAt >= AFTER_MS;
    if (isDue) this.start(seq, nowAt);
  }

  /** Starts a checkpoint up to the durable sequence `seq`; resolves when it is written, or was given up for now. */
  start(seq: number, nowAt: number): Promise<void> {
    this.#startedAt = nowAt;
    this.#running ??= this.#run(seq).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Ends what runs after its present slice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(seq: number): Promise<void> {
    const { checkpoint, journal, epoch, log } = this.#options;
    const taken = this.#changed;
    this.#changed = new Map();
    try {
      for (const slice of slices(taken)) {
        if (this.#closed) return;
        await this.#writeSlice(slice);
      }
      crashPoint("checkpoint.rows.after");
      await checkpoint.advance({ seq, epoch });
      crashPoint("checkpoint.advance.after");
      this.#position = { seq, epoch };
      await journal.trim(seq - 1);
      crashPoint("journal.trim.after");
    } catch (error) {
      for (const [avatar, key, at] of entriesOf(taken)) markIn(this.#changed, avatar, key, at);
      log.warn({ err: error }, "checkpoint failed, will be tried again");
    }
  }

  /** Reads the slice's values and sequences in one tick, so that they belong together, then writes them. */
  async #writeSlice(slice: readonly ChangedRow[]): Promise<void> {
    const rows = slice.map(([avatar, key, at]) => ({
      row: { avatar, key, value: this.#options.read(avatar, key) ?? null },
      seq: this.#changed.get(avatar)?.get(key) ?? at,
    }));
    const next = rows.values();
    const worker = async () => {
      for (const { row, seq } of next) await this.#options.checkpoint.write(row, seq);
    };
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, worker));
  }
}

type Changed = Map<string, Map<string, number>>;
type ChangedRow = readonly [avatar: string, key: string, seq: number];

function markIn(changed: Changed, avatar: string, key: string, seq: number): void {
  let keys = changed.get(avatar);
  if (keys === undefined) {
    keys = new Map();
    changed.set(avatar, keys);
  }
  keys.set(key, Math.max(seq, keys.get(key) ?? 0));
}

function* entriesOf(changed: Changed): Generator<ChangedRow> {
  for (const [avatar, keys] of changed) for (const [key, seq] of keys) yield [avatar, key, seq];
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
