/**
 * Reading a journal back: which of its records count. Pure.
 *
 * Writes of an epoch below the latest fence are void, and so are parts without their write. Above the checkpoints the slots
 * follow each other without a gap; a gap says that somebody, as a rule the deposed owner in its last checkpoint, has moved
 * the checkpoints and trimmed the journal behind them in the meantime, and that the reading must begin again.
 */
import type { Position, Stamp } from "./record.ts";

export interface Replay<T> {
  /** The slot that was read last. */
  readonly seq: number;
  /** The epoch of the latest fence. */
  readonly inForce: number;
  /** What the parts of an unfinished group carry. */
  readonly parts: readonly T[];
}

export interface Reading<T> {
  readonly replay: Replay<T>;
  /** What a group carries that this record completes; null when it completes none. */
  readonly group: readonly T[] | null;
}

/** A replay of what is above `position`. */
export function replayFrom<T>(position: Position): Replay<T> {
  return { seq: position.seq, inForce: position.epoch, parts: [] };
}

/** Reads the record in slot `seq`, which carries `load`. Returns "gap" when slots are missing before it. */
export function readRecord<T>(
  replay: Replay<T>,
  seq: number,
  record: Pick<Stamp, "epoch" | "kind">,
  load: T,
): Reading<T> | "gap" {
  if (seq !== replay.seq + 1) return "gap";
  const isFence = record.kind === "fence";
  const inForce = isFence ? Math.max(replay.inForce, record.epoch) : replay.inForce;
  const next = { ...replay, seq, inForce };
  if (record.epoch < inForce) return { replay: next, group: null };
  if (isFence || record.kind === "release") return { replay: { ...next, parts: [] }, group: null };
  const parts = [...replay.parts, load];
  if (record.kind === "part") return { replay: { ...next, parts }, group: null };
  return { replay: { ...next, parts: [] }, group: parts };
}

/**
 * Whether a file that ends at `file` is in the history of a journal whose checkpoints stand at `checkpointed`: `yes`, `no`,
 * or `ifSlotHolds`: when the slot where it ends holds a record of its epoch.
 */
export function isFileInHistory(file: Position, checkpointed: Position): "yes" | "no" | "ifSlotHolds" {
  if (file.seq === 0) return "yes";
  if (file.seq < checkpointed.seq) return "no";
  if (file.seq === checkpointed.seq) return file.epoch === checkpointed.epoch ? "yes" : "no";
  return "ifSlotHolds";
}
