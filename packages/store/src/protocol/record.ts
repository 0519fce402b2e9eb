/** What a record of the journal is, and what one in a slot means to somebody who wanted the slot. Pure. */

/** A `part` is the beginning of the `write` that follows it; without that it counts for nothing. */
export type RecordKind = "part" | "write" | "fence" | "release";

/** A record without what it carries. */
export interface Stamp {
  readonly epoch: number;
  /** The same at every try to write one record, and never the same for two records. */
  readonly id: string;
  readonly kind: RecordKind;
}

/** A place in the journal: the slot, and the epoch that wrote it. */
export interface Position {
  readonly epoch: number;
  readonly seq: number;
}

export type SlotVerdict = "mine" | "void" | "deposed";

/** What a taken slot means to the writer of `id` in `epoch`. */
export function judgeSlot(found: Pick<Stamp, "id" | "epoch">, id: string, epoch: number): SlotVerdict {
  if (found.id === id) return "mine";
  return found.epoch < epoch ? "void" : "deposed";
}

/**
 * The last slot that may be trimmed when the journal up to slot `seq` is in the checkpoints. The record in `seq` stays: it
 * may be the newest, and that is the journal's end.
 */
export function lastToTrim(seq: number): number {
  return seq - 1;
}

/** A fence stays for ever: a deposed owner that slept through everything must still find its next slot taken. */
export function isTrimmable(kind: RecordKind): boolean {
  return kind !== "fence";
}
