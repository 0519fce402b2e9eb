/**
 * The journal of a shard: one DynamoDB item per group commit, written with put-if-absent on the next sequence number.
 * That write is also the fence: a deposed owner's next write finds its slot taken by its successor.
 *
 * Which slot is tried, what an answer means and when a writer is deposed is decided in `protocol/`, which is pure and which
 * a model checker tries in every order of events; this file asks the table what `protocol/writing.ts` wants to know.
 */
import { randomUUID } from "node:crypto";
import { backOffMs, counter, crashPoint, histogram } from "@tidings/runtime";
import { isTrimmable, lastToTrim, type Position, type RecordKind, type Stamp } from "./protocol/record.ts";
import { readRecord, replayFrom } from "./protocol/replay.ts";
import {
  advance,
  append,
  type Reply,
  type Request,
  requestOf,
  takeJournal,
  type Writing,
} from "./protocol/writing.ts";
import type { Item, Table } from "./table.ts";
import { isRefusal } from "./table-error.ts";

/** Most bytes of a record's blob; DynamoDB takes items of 400 KB. */
export const RECORD_BYTES = 350_000;

const WRITES = histogram("tidings_journal_write_seconds", "Until a group commit is in the journal.");
const REFUSALS = counter("tidings_fencing_refusals_total", "Writes that found a successor in their place.");

/** Another host owns the shard: this process must not go on with it. */
export class DeposedError extends Error {
  override readonly name = "DeposedError";
}

/** The journal was closed while a record waited to be written. */
export class JournalClosedError extends Error {
  override readonly name = "JournalClosedError";
}

/** Records were trimmed while they were to be read: the checkpoints have moved, and reading must begin again from there. */
export class JournalTrimmedError extends Error {
  override readonly name = "JournalTrimmedError";
}

const RETRY = { firstMs: 50, maxMs: 5_000 };

/** What the shell keeps beside the pure state while it carries out a request. */
interface Work {
  readonly blobs: readonly Uint8Array[];
  readonly position: () => Promise<Position>;
}

const NO_WORK: Work = { blobs: [], position: async () => ({ seq: 0, epoch: 0 }) };

export class Journal {
  readonly #table: Table;
  readonly #pk: string;
  readonly #random: () => number;
  #closed = false;
  #writing: Writing = takeJournal("", 0);

  constructor(table: Table, silo: string, shard: number, random: () => number = Math.random) {
    this.#table = table;
    this.#pk = `J#${silo}#${shard}`;
    this.#random = random;
  }

  /** The last slot known to be taken. */
  get seq(): number {
    return this.#writing.seq;
  }

  /**
   * Takes the journal for `epoch`: writes a fence behind the last record and behind the checkpoints, and resolves with where
   * those stand. From then on writes of lower epochs are void. Rejects with {@link DeposedError} when a higher epoch is
   * there already.
   */
  async fence(epoch: number, position: () => Promise<Position>): Promise<Position> {
    this.#writing = takeJournal(randomUUID(), epoch);
    await this.#carryOut({ ...NO_WORK, position });
    crashPoint("fence.after");
    return this.#writing.checkpointed ?? { seq: 0, epoch: 0 };
  }

  /**
   * Writes one group commit and resolves with its (last) slot. One at a time. A blob that exceeds an item takes several
   * slots. Rejects with {@link DeposedError}.
   */
  async append(blob: Uint8Array): Promise<number> {
    const blobs: Uint8Array[] = [];
    for (let from = 0; from === 0 || from < blob.length; from += RECORD_BYTES) {
      blobs.push(blob.subarray(from, from + RECORD_BYTES));
    }
    this.#writing = append(this.#writing, kindsOf(blobs));
    const written = WRITES.startTimer();
    await this.#carryOut({ ...NO_WORK, blobs });
    written();
    return this.seq;
  }

  /** Says that this owner has stopped by itself. */
  async release(): Promise<void> {
    this.#writing = append(this.#writing, ["release"]);
    await this.#carryOut(NO_WORK);
  }

  /**
   * The group commits that count, above `position` in order. Rejects with {@link JournalTrimmedError} when the journal is
   * trimmed meanwhile.
   */
  async *read(position: Position): AsyncGenerator<{ seq: number; epoch: number; blob: Uint8Array }> {
    let replay = replayFrom<Uint8Array | null>(position);
    for await (const item of this.#table.query(this.#pk, { after: slot(position.seq) })) {
      const seq = Number(item.sk?.S);
      const record = stampOf(item);
      const reading = readRecord(replay, seq, record, item.blob?.B ?? null);
      if (reading === "gap") throw new JournalTrimmedError(`slot ${replay.seq + 1} is gone`);
      replay = reading.replay;
      if (reading.group === null) continue;
      const blobs = reading.group.filter((blob) => blob !== null);
      yield { seq, epoch: record.epoch, blob: Buffer.concat(blobs) };
    }
  }

  /** The epoch of the record in a slot, or null when the slot is free or trimmed. */
  async epochAt(seq: number): Promise<number | null> {
    const item = await this.#table.get(this.#pk, slot(seq));
    return item === undefined ? null : stampOf(item).epoch;
  }

  /** Removes what may go when the journal up to `seq` is in the checkpoints: no fence, and not the record in `seq`. */
  async trim(seq: number): Promise<void> {
    const done: string[] = [];
    for await (const item of this.#table.query(this.#pk, { upto: slot(lastToTrim(seq)) })) {
      if (isTrimmable(stampOf(item).kind)) done.push(item.sk?.S as string);
    }
    await this.#table.delete(this.#pk, done);
  }

  /** Ends retries; what waits is rejected with {@link JournalClosedError}. */
  close(): void {
    this.#closed = true;
  }

  /** Asks what the protocol wants to know until it wants nothing more. */
  async #carryOut(work: Work): Promise<void> {
    let failures = 0;
    for (let request = requestOf(this.#writing); request !== null; request = requestOf(this.#writing)) {
      if (this.#closed) throw new JournalClosedError("the journal is closed");
      const reply = await this.#ask(request, work);
      failures = reply.of === "nothing" ? failures + 1 : 0;
      if (failures > 0) await pause(backOffMs(failures, RETRY, this.#random()));
      this.#writing = advance(this.#writing, reply);
    }
    const { doing } = this.#writing;
    if (doing.step !== "deposed") return;
    REFUSALS.inc();
    throw new DeposedError(`slot ${doing.seq} belongs to epoch ${doing.by}`);
  }

  /** Rejects only with what no repetition heals. */
  async #ask(request: Request, { blobs, position }: Work): Promise<Reply> {
    try {
      switch (request.ask) {
        case "readTail":
          return { of: "tail", at: await this.#tail() };
        case "put":
          return { of: "put", isWritten: await this.#put(request.seq, request.record, blobs[request.part]) };
        case "readSlot": {
          const found = await this.#table.get(this.#pk, slot(request.seq));
          return { of: "slot", found: found === undefined ? null : stampOf(found) };
        }
        case "readPosition":
          return { of: "position", at: await position() };
      }
    } catch (error) {
      if (isRefusal(error) || error instanceof DeposedError) throw error;
      return { of: "nothing" };
    }
  }

  async #put(seq: number, { epoch, id, kind }: Stamp, blob: Uint8Array | undefined): Promise<boolean> {
    const item: Item = { epoch: { N: String(epoch) }, id: { S: id }, kind: { S: kind } };
    if (blob !== undefined) item.blob = { B: blob };
    crashPoint("journal.put.before");
    const isWritten = await this.#table.putIfAbsent(this.#pk, slot(seq), item);
    crashPoint("journal.put.after");
    return isWritten;
  }

  async #tail(): Promise<Position> {
    for await (const item of this.#table.query(this.#pk, { reverse: true, limit: 1 })) {
      return { seq: Number(item.sk?.S), epoch: stampOf(item).epoch };
    }
    return { seq: 0, epoch: 0 };
  }
}

function kindsOf(blobs: readonly Uint8Array[]): RecordKind[] {
  return blobs.map((_, index) => (index < blobs.length - 1 ? "part" : "write"));
}

function slot(seq: number): string {
  return String(seq).padStart(20, "0");
}

function stampOf(item: Item): Stamp {
  return { epoch: Number(item.epoch?.N), id: item.id?.S ?? "", kind: item.kind?.S as RecordKind };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
