/**
 * Journalled rows on their way to the file.
 *
 *     flowing ──the disk is full or fails──▶ waiting ──it takes them again──▶ flowing
 *                                               └──too many rows wait, or the file is torn──▶ given up
 *
 * While it waits, rows stay in the overlay, where reads see them, and are counted, so that the shard can refuse new work.
 */
import type { Log } from "@tidings/runtime";
import { DiskError, fileError } from "./file-error.ts";
import type { LocalFile } from "./local-file.ts";
import type { Position } from "./protocol/record.ts";
import type { Row } from "./rows.ts";

const FLUSH_AFTER_MS = 500;
const FLUSH_AT_ROWS = 10_000;
const RETRY_AFTER_MS = 2_000;
const SAY_AGAIN_MS = 60_000;
/** Characters that may wait for a disk that fails; then the shard is given up, and its rows are safe in the journal. */
const MOST_WAITING_CHARS = 32_000_000;

export interface FileTailOptions {
  readonly file: LocalFile;
  readonly log: Log;
  /** The rows are in the file now. */
  readonly onWritten: (rows: readonly Row[]) => void;
  /** The file cannot be used any more; an error with a sentence. */
  readonly onGivenUp: (error: Error) => void;
}

export class FileTail {
  readonly #options: FileTailOptions;
  #rows: Row[] = [];
  #chars = 0;
  #position: Position = { epoch: 0, seq: 0 };
  #timer: NodeJS.Timeout | null = null;
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
    this.#rows.push(...rows);
    this.#chars += chars;
    this.#position = position;
    if (this.#rows.length >= FLUSH_AT_ROWS && this.#saidAt === null) this.flush();
    else this.#schedule(FLUSH_AFTER_MS);
  }

  /** Writes what waits: true when the file holds all of it now. Rows go sorted, because neighbours share a page. */
  flush(): boolean {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isOpen) return false;
    if (this.#rows.length === 0) return true;
    const rows = this.#rows;
    try {
      this.#options.file.apply(newestInOrder(rows), this.#position);
    } catch (cause) {
      return this.#failed(fileError(cause, this.#options.file.path));
    }
    this.#rows = [];
    this.#chars = 0;
    this.#options.onWritten(rows);
    if (this.#saidAt !== null)
      this.#options.log.info(
        { path: this.#options.file.path, rows: rows.length },
        "the disk takes rows again",
      );
    this.#saidAt = null;
    return true;
  }

  /** Takes and writes nothing more. */
  close(): void {
    this.#isOpen = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
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
        { err: error, path: file.path, rows: this.#rows.length },
        "the disk does not take rows, which stay in memory and in DynamoDB; make room on it",
      );
      this.#saidAt = performance.now();
    }
    this.#schedule(RETRY_AFTER_MS);
    return false;
  }

  #schedule(afterMs: number): void {
    this.#timer ??= setTimeout(() => this.flush(), afterMs);
  }
}

function newestInOrder(rows: readonly Row[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) newest.set(`${row.avatar}\n${row.key}`, row);
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
