/**
 * The journal of a shard: one DynamoDB item per group commit, written with put-if-absent on the next sequence number.
 * That write is also the fence: a deposed owner's next write finds its slot taken by its successor.
 *
 *     slot n+1 free              → mine
 *     reply lost, or 5xx         → the same slot with the same id, again
 *     taken, its id is mine      → mine (the reply was lost)
 *     taken, its epoch < mine    → a void write of a deposed owner: slot n+2
 *     otherwise                  → deposed: no effect may follow
 *
 * Writes of an epoch below the latest fence are void when they are read back. Trimming removes writes that checkpoints
 * hold, and never a fence: a deposed owner that slept through everything must still find its next slot taken.
 */
import { randomUUID } from "node:crypto";
import { backOffMs, crashPoint } from "@tidings/runtime";
import type { Item, Table } from "./table.ts";

/** A `part` is the beginning of the `write` that follows it; without that it counts for nothing. */
export type RecordKind = "part" | "write" | "fence" | "release";

export interface JournalRecord {
  readonly seq: number;
  readonly epoch: number;
  readonly id: string;
  readonly kind: RecordKind;
  readonly blob: Uint8Array | null;
}

/** Most bytes of a record's blob; DynamoDB takes items of 400 KB. */
export const RECORD_BYTES = 350_000;

/** Another host owns the shard: this process must not go on with it. */
export class DeposedError extends Error {
  override readonly name = "DeposedError";
}

/** The journal was closed while a record waited to be written. */
export class JournalClosedError extends Error {
  override readonly name = "JournalClosedError";
}

const RETRY = { firstMs: 50, maxMs: 5_000 };

export type SlotVerdict = "mine" | "void" | "deposed";

/** What a taken slot means to the writer of `id` in `epoch`. */
export function judgeSlot(
  found: Pick<JournalRecord, "id" | "epoch">,
  id: string,
  epoch: number,
): SlotVerdict {
  if (found.id === id) return "mine";
  return found.epoch < epoch ? "void" : "deposed";
}

export class Journal {
  readonly #table: Table;
  readonly #pk: string;
  readonly #random: () => number;
  #closed = false;
  #epoch = 0;
  /** The last slot known to be taken. */
  #seq = 0;

  constructor(table: Table, silo: string, shard: number, random: () => number = Math.random) {
    this.#table = table;
    this.#pk = `J#${silo}#${shard}`;
    this.#random = random;
  }

  get seq(): number {
    return this.#seq;
  }

  /**
   * Takes the journal for `epoch`: writes a fence behind the last record, and behind slot `floor`, and resolves with the
   * fence's slot. From then on writes of lower epochs are void. Rejects with {@link DeposedError} when a higher epoch is
   * there already.
   */
  async fence(epoch: number, floor = 0): Promise<number> {
    this.#epoch = epoch;
    const tail = await this.#tail();
    this.#seq = Math.max(tail?.seq ?? 0, floor);
    if (tail !== null && tail.epoch > epoch) throw new DeposedError(`epoch ${tail.epoch} is in the journal`);
    return await this.#append("fence", null);
  }

  /**
   * Writes one group commit and resolves with its (last) slot. One at a time. A blob that exceeds an item takes several
   * slots. Rejects with {@link DeposedError}.
   */
  async append(blob: Uint8Array): Promise<number> {
    let from = 0;
    for (; blob.length - from > RECORD_BYTES; from += RECORD_BYTES) {
      await this.#append("part", blob.subarray(from, from + RECORD_BYTES));
    }
    return await this.#append("write", blob.subarray(from));
  }

  /** Says that this owner has stopped by itself. */
  release(): Promise<number> {
    return this.#append("release", null);
  }

  /** The group commits that count, above `after` in order; `epochAt` is the epoch in force at `after`. */
  async *read(
    after: number,
    epochAt: number,
  ): AsyncGenerator<{ seq: number; epoch: number; blob: Uint8Array }> {
    let inForce = epochAt;
    let parts: Uint8Array[] = [];
    for await (const item of this.#table.query(this.#pk, { after: slot(after) })) {
      const record = recordOf(item);
      if (record.kind === "fence") inForce = Math.max(inForce, record.epoch);
      if (record.epoch < inForce) continue;
      if (record.blob === null) parts = [];
      else parts.push(record.blob);
      if (record.kind !== "write") continue;
      yield {
        seq: record.seq,
        epoch: record.epoch,
        blob: parts.length === 1 ? (record.blob as Uint8Array) : Buffer.concat(parts),
      };
      parts = [];
    }
  }

  /** The epoch of the record in a slot, or null when the slot is free or trimmed. */
  async epochAt(seq: number): Promise<number | null> {
    const item = await this.#table.get(this.#pk, slot(seq));
    return item === undefined ? null : recordOf(item).epoch;
  }

  /** Removes writes up to and including slot `upto`; fences stay. The newest record must stay too: it is the journal's end. */
  async trim(upto: number): Promise<void> {
    const done: string[] = [];
    for await (const item of this.#table.query(this.#pk, { upto: slot(upto) })) {
      if (item.kind?.S !== "fence") done.push(item.sk?.S as string);
    }
    await this.#table.delete(this.#pk, done);
  }

  /** Ends retries; what waits is rejected with {@link JournalClosedError}. */
  close(): void {
    this.#closed = true;
  }

  async #append(kind: RecordKind, blob: Uint8Array | null): Promise<number> {
    const id = randomUUID();
    const item: Item = { epoch: { N: String(this.#epoch) }, id: { S: id }, kind: { S: kind } };
    if (blob !== null) item.blob = { B: blob };
    for (let target = this.#seq + 1; ; target++) {
      if ((await this.#take(target, id, item)) === "mine") {
        this.#seq = target;
        return target;
      }
    }
  }

  async #take(target: number, id: string, item: Item): Promise<"mine" | "void"> {
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw new JournalClosedError("the journal is closed");
      try {
        crashPoint("journal.put.before");
        const isWritten = await this.#table.putIfAbsent(this.#pk, slot(target), item);
        crashPoint("journal.put.after");
        if (isWritten) return "mine";
        const found = await this.#table.get(this.#pk, slot(target));
        if (found === undefined) continue;
        const verdict = judgeSlot(recordOf(found), id, this.#epoch);
        if (verdict === "deposed")
          throw new DeposedError(`slot ${target} belongs to epoch ${found.epoch?.N}`);
        return verdict;
      } catch (error) {
        if (error instanceof DeposedError || isRefusal(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, backOffMs(attempt, RETRY, this.#random())));
      }
    }
  }

  async #tail(): Promise<JournalRecord | null> {
    for await (const item of this.#table.query(this.#pk, { reverse: true, limit: 1 })) return recordOf(item);
    return null;
  }
}

/** Refusals that no repetition heals: wrong credentials, no such table, an item that is too large. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return [
    "ResourceNotFoundException",
    "ValidationException",
    "AccessDeniedException",
    "UnrecognizedClientException",
  ].includes(name);
}

function slot(seq: number): string {
  return String(seq).padStart(20, "0");
}

function recordOf(item: Item): JournalRecord {
  return {
    seq: Number(item.sk?.S),
    epoch: Number(item.epoch?.N),
    id: item.id?.S ?? "",
    kind: item.kind?.S as RecordKind,
    blob: item.blob?.B ?? null,
  };
}
