/**
 * What the model is about: one shard's journal, checkpoints, lease and claim, the owners that come one after the other, and
 * the writes that the network still holds. Plain values, so that a state can be told from another.
 */
import type { Position, Stamp } from "../record.ts";
import type { Replay } from "../replay.ts";
import type { TenureStep } from "../tenure.ts";
import { takeJournal, type Writing } from "../writing.ts";

/** A record with what it carries: the name of a commit, or of a part of one. */
export interface Slot extends Stamp {
  readonly load: string;
}

/** A host's file of the shard, or the checkpoints: the commits in it, in order, and where that is in the journal. */
export interface Kept extends Position {
  readonly commits: readonly string[];
}

export interface Reading {
  /** Where the checkpoints stood when the reading began. */
  readonly from: Position;
  /** Null when the host has no file that is in the history. */
  readonly file: Kept | null;
  readonly replay: Replay<string>;
  readonly commits: readonly string[];
}

export type CheckpointRun =
  | { readonly stage: "rowsWritten"; readonly kept: Kept }
  | { readonly stage: "trimming"; readonly slots: readonly number[] };

export interface Owner {
  /** "waiting" until it takes the shard; "gone" when it found itself deposed and ended. */
  readonly step: TenureStep | "waiting" | "gone";
  readonly writing: Writing;
  readonly reading: Reading | null;
  /** Every commit that it knows to be durable, in order. */
  readonly history: readonly string[];
  /** The slot of the last commit in `history`. */
  readonly settled: number;
  readonly commitsLeft: number;
  /** Durable, and not yet said to anybody. */
  readonly unsaid: readonly string[];
  readonly checkpointsLeft: number;
  readonly checkpoint: CheckpointRun | null;
}

export interface Scenario {
  readonly name: string;
  /** For each owner in order: the commits it makes; `2` is one that takes two slots. */
  readonly commits: readonly (readonly (1 | 2)[])[];
  /** For each owner, the host it runs on; hosts keep their files. */
  readonly hosts: readonly number[];
  /** Checkpoints that each owner makes at most. */
  readonly checkpoints: readonly number[];
  /** Owners that may be asked to release. */
  readonly releases: readonly boolean[];
  /** Whether effects leave: claims, and what is said of durable commits. */
  readonly hasEffects: boolean;
  /** How often the network may lose, delay or double something. */
  readonly faults: number;
}

export interface World {
  /** By slot number − 1; null is free, or trimmed. */
  readonly slots: readonly (Slot | null)[];
  readonly checkpoints: Kept;
  readonly files: readonly (Kept | null)[];
  readonly leaseEpoch: number;
  readonly router: { readonly epoch: number; readonly owner: number | null; readonly isReady: boolean };
  /** Writes that the network still holds, and may carry out at any time. */
  readonly late: readonly { readonly seq: number; readonly slot: Slot }[];
  readonly owners: readonly Owner[];
  /** Commits of each owner that became durable to its knowledge, in order: what was promised. */
  readonly promised: readonly (readonly string[])[];
  /** The highest epoch of which an effect has passed the router. */
  readonly saidEpoch: number;
  readonly faultsLeft: number;
  /** What is wrong, seen at the moment when it happened. */
  readonly problem: string | null;
}

export function beginning({ commits, hosts, checkpoints, faults }: Scenario): World {
  const owners = commits.map((own, index) => ({
    step: "waiting" as const,
    writing: takeJournal(`w${index}`, 0),
    reading: null,
    history: [],
    settled: 0,
    commitsLeft: own.length,
    unsaid: [],
    checkpointsLeft: checkpoints[index] ?? 0,
    checkpoint: null,
  }));
  return {
    slots: [],
    checkpoints: { seq: 0, epoch: 0, commits: [] },
    files: Array.from({ length: Math.max(...hosts) + 1 }, () => null),
    leaseEpoch: 0,
    router: { epoch: 0, owner: null, isReady: false },
    late: [],
    owners,
    promised: owners.map(() => []),
    saidEpoch: 0,
    faultsLeft: faults,
    problem: null,
  };
}

export function slotAt(world: World, seq: number): Slot | null {
  return world.slots[seq - 1] ?? null;
}

/** The newest record's place; zeros when there is none. */
export function tailOf(world: World): Position {
  for (let seq = world.slots.length; seq > 0; seq--) {
    const slot = slotAt(world, seq);
    if (slot !== null) return { seq, epoch: slot.epoch };
  }
  return { seq: 0, epoch: 0 };
}

export function withSlot(world: World, seq: number, slot: Slot | null): World {
  const slots = [...world.slots];
  while (slots.length < seq) slots.push(null);
  slots[seq - 1] = slot;
  return { ...world, slots };
}

export function withOwner(world: World, index: number, change: Partial<Owner>): World {
  return { ...world, owners: world.owners.with(index, { ...ownerAt(world, index), ...change }) };
}

export function ownerAt(world: World, index: number): Owner {
  const owner = world.owners[index];
  if (owner === undefined) throw new Error(`the scenario has no owner ${index}`);
  return owner;
}
