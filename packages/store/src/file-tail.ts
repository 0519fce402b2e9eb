/**
 * Journalled rows on their way to the file.
 *
 *     flowing ──the disk is full or fails──▶ waiting ──it takes them again──▶ flowing
 *                                               └──too many rows wait, or the file is torn──▶ given up
 *
 * While it waits, rows stay in the overlay, where reads see them, and are counted, so that the shard can refuse new work.
 */
import { type Background, crashPoint, type Log } from "@tidings/runtime";
import { DiskError, fileError } from "./file-error.ts";
import type { LocalFile } from "./local-file.ts";
import type { Position } from "./protocol/record.ts";
import type { Row } from "./rows.ts";

const FLUSH_AFTER_MS = 500;
const FLUSH_AT_ROWS = 10_000;
/** Rows after which writing to the file lets others go first: a few milliseconds of work. */
const SLICE_ROWS = 1_000;
const RETRY_AFTER_MS = 2_000;
const SAY_AGAIN_MS = 60_000;
/** Characters that may wait for a disk that fails; then the shard is given up, and its rows are safe in the journal. */
const MOST_WAITING_CHARS = 32_000_000;

export interface FileTailOptions {
  readonly file: LocalFile;
  readonly log: Log;
  /** What need not be in the file at once is written through it in small pieces. */
  readonly background: Background;
  /** The rows are in the file now. */
  readonly onWritten: (rows: readonly Row[]) => void;
  /** The file cannot be used any more; an error with a sentence. */
  readonly onGivenUp: (error: Error) => void;
}

/** A record that is in the journal and not yet in the file. */
interface Journalled {
  readonly rows: readonly Row[];
  readonly chars: number;
  readonly position: Position;
}

export class FileTail {
  readonly #options: FileTailOptions;
  #records: Journalled[] = [];
  #rowCount = 0;
  #chars = 0;
  #timer: NodeJS.Timeout | null = null;
  #isSlicing = false;
  #saidAt: number | null = null;
  #isOpen = true;

  constructor(options: FileTailOptions) {
    this.#options = options;
  }

  /** Characters that wait for a disk that fails; 0 while it does not. */
  get stuckChars(): number {
    return this.#saidAt === null ? 0 : this.#chars;
  }

  /** Takes the rows of the record at `position`, of `chars` characters, to write them soon. */
  add(rows: readonly Row[], chars: number, position: Position): void {
    this.#records.push({ rows, chars, position });
    this.#rowCount += rows.length;
    this.#chars += chars;
    if (this.#rowCount >= FLUSH_AT_ROWS && this.#saidAt === null) this.#startSlicing();
    else this.#schedule(FLUSH_AFTER_MS);
  }

  /** Writes what waits: true when the file holds all of it now. */
  flush(): boolean {
    this.#stopTimer();
    return this.#write(Number.POSITIVE_INFINITY);
  }

  /** Writes what waits in the background, a slice at a time. */
  #startSlicing(): void {
    this.#stopTimer();
    if (this.#isSlicing) return;
    this.#isSlicing = true;
    this.#options.background.run(() => {
      this.#isSlicing = false;
      if (this.#write(SLICE_ROWS) && this.#records.length > 0) this.#startSlicing();
    });
  }

  /** Writes whole records until `atLeastRows` are written; false when the file does not take them. */
  #write(atLeastRows: number): boolean {
    if (!this.#isOpen) return false;
    const rows: Row[] = [];
    let count = 0;
    for (; count < this.#records.length && rows.length < atLeastRows; count++)
      rows.push(...(this.#records[count] as Journalled).rows);
    const last = this.#records[count - 1];
    if (last === undefined) return true;
    try {
      crashPoint("file.flush.before");
      this.#options.file.apply(newestInOrder(rows), last.position);
      crashPoint("file.flush.after");
    } catch (cause) {
      return this.#failed(fileError(cause, this.#options.file.path));
    }
    for (const { chars } of this.#records.splice(0, count)) this.#chars -= chars;
    this.#rowCount -= rows.length;
    this.#options.onWritten(rows);
    this.#sayThatItWorks(rows.length);
    return true;
  }

  /** Takes and writes nothing more. */
  close(): void {
    this.#isOpen = false;
    this.#stopTimer();
  }

  #sayThatItWorks(rows: number): void {
    const { log, file } = this.#options;
    if (this.#saidAt !== null) log.info({ path: file.path, rows }, "the disk takes rows again");
    this.#saidAt = null;
  }

  #failed(error: unknown): false {
    const { file, log, onGivenUp } = this.#options;
    if (!(error instanceof DiskError) || this.#chars > MOST_WAITING_CHARS) {
      this.close();
      onGivenUp(error as Error);
      return false;
    }
    if (this.#saidAt === null || performance.now() - this.#saidAt > SAY_AGAIN_MS) {
      log.error(
        { err: error, path: file.path, rows: this.#rowCount },
        "the disk does not take rows, which stay in memory and in DynamoDB; make room on it",
      );
      this.#saidAt = performance.now();
    }
    this.#schedule(RETRY_AFTER_MS);
    return false;
  }

  #schedule(afterMs: number): void {
    this.#timer ??= setTimeout(() => this.#startSlicing(), afterMs);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Sorted, because neighbours share a page. */
function newestInOrder(rows: readonly Row[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) newest.set(`${row.avatar}\n${row.key}`, row);
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
