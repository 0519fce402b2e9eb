/**
 * How far the checkpoints of a shard are, and which of their writes count: the item `#position`, changed as a whole and
 * only by who has read it last. Pure; `checkpoint.ts` reads and writes it.
 *
 *     closed ──begun (run+1)──▶ open ──finished──▶ closed, position moved
 *                                └──claimed by a successor, begun again, or held──▶ run is void
 *
 * Each row carries the run that wrote it. A void run may still have writes under way; they land as rows of a void run, which
 * nobody reads. What such a run was to write stands in the journal behind the position, and the next run writes it again.
 */
import { randomUUID } from "node:crypto";
import type { Position } from "./protocol/record.ts";
import type { Item } from "./table.ts";

export interface CheckpointState extends Position {
  /** The epoch that may write checkpoints now. */
  readonly owner: number;
  /** Number of the last run that has begun. */
  readonly run: number;
  readonly isOpen: boolean;
  /** Runs of which rows do not count, in order. */
  readonly voidRuns: readonly number[];
  /** Names the journal's history: a file of another history is discarded. */
  readonly history: string;
  /** Until when no run may begin, because a back-up reads the rows (epoch milliseconds). */
  readonly holdUntilAt: number;
}

/** Runs that came to nothing and are remembered: more of them than writes of one could ever be under way for. */
const VOID_RUNS = 20_000;

/** A new owner: what an owner before has under way does not count. */
export function claimed(state: CheckpointState, epoch: number): CheckpointState {
  return { ...closed(state), owner: epoch, history: state.history === "" ? randomUUID() : state.history };
}

/** The owner begins a run. */
export function begun(state: CheckpointState): CheckpointState {
  return { ...closed(state), run: state.run + 1, isOpen: true };
}

/** The run has written everything up to `position`. */
export function finished(state: CheckpointState, position: Position): CheckpointState {
  return { ...state, seq: Math.max(state.seq, position.seq), epoch: position.epoch, isOpen: false };
}

/** A back-up wants the rows to stay as they are until `untilAt`, or gives them free with 0. */
export function held(state: CheckpointState, untilAt: number): CheckpointState {
  return { ...closed(state), holdUntilAt: untilAt };
}

function closed(state: CheckpointState): CheckpointState {
  if (!state.isOpen) return state;
  return { ...state, isOpen: false, voidRuns: [...state.voidRuns, state.run].slice(-VOID_RUNS) };
}

/** The state in `item`, or that of a shard without checkpoints. */
export function stateOf(item: Item | undefined): CheckpointState {
  const number = (name: string) => Number(item?.[name]?.N ?? 0);
  const runs = item?.void?.S ?? "";
  return {
    seq: number("seq"),
    epoch: number("epoch"),
    owner: number("owner"),
    run: number("run"),
    isOpen: item?.open?.BOOL ?? false,
    voidRuns: runs === "" ? [] : runs.split(" ").map(Number),
    history: item?.history?.S ?? "",
    holdUntilAt: number("hold"),
  };
}

/** The item of `state`; `stamp` is new with each change. */
export function itemOf(state: CheckpointState, stamp: string = randomUUID()): Item {
  return {
    stamp: { S: stamp },
    seq: { N: String(state.seq) },
    epoch: { N: String(state.epoch) },
    owner: { N: String(state.owner) },
    run: { N: String(state.run) },
    open: { BOOL: state.isOpen },
    void: { S: state.voidRuns.join(" ") },
    history: { S: state.history },
    hold: { N: String(state.holdUntilAt) },
  };
}
