/** A new owner reads the journal back, slot by slot, while everything else goes on. */
import type { Position } from "../record.ts";
import { type Replay, replayFrom } from "../replay.ts";
import type { Rules } from "./rules.ts";
import type { Stage, Step } from "./steps.ts";
import { type Kept, type Owner, ownerAt, slotAt, type World, withOwner } from "./world.ts";

/**
 * The next slot is read; at the own fence the reading is complete. While nobody can trim, nothing can come between the
 * slots, and all of them are read in one step.
 */
export function readingSteps(world: World, index: number, stage: Stage): Step[] {
  const [first] = readSlot(world, index, stage);
  if (first === undefined || world.owners.some(mayTrim)) return first === undefined ? [] : [first];
  let step = first;
  while (ownerAt(step.world, index).reading !== null) {
    const [next] = readSlot(step.world, index, stage);
    if (next === undefined) break;
    step = { what: `owner ${index} reads the journal back`, world: next.world };
  }
  return [step];
}

function mayTrim({ checkpoint, checkpointsLeft, step }: Owner): boolean {
  return checkpoint !== null || (checkpointsLeft > 0 && step === "serving");
}

function readSlot(world: World, index: number, stage: Stage): Step[] {
  const { reading, writing } = ownerAt(world, index);
  if (reading === null) return [];
  const seq = nextTaken(world, reading.replay.seq);
  const slot = slotAt(world, seq);
  if (slot === null && reading.replay.seq >= writing.seq)
    return [{ what: `owner ${index} has read all`, world: finish(world, index, stage) }];
  if (slot === null) return [beginAgain(world, index, stage)];
  const read = stage.rules.readRecord(reading.replay, seq, slot, slot.load);
  if (read === "gap") return [beginAgain(world, index, stage)];
  const isNew = read.group !== null && seq > (reading.file?.seq ?? 0);
  const commits = isNew ? [...reading.commits, String(read.group?.at(-1))] : reading.commits;
  const next = { ...reading, replay: read.replay, commits };
  const what = `owner ${index} reads ${slot.load} back from slot ${seq}`;
  if (seq < writing.seq) return [{ what, world: withOwner(world, index, { reading: next }) }];
  return [{ what, world: finish(withOwner(world, index, { reading: next }), index, stage) }];
}

/** Begins to read above `from`, with the host's file when that is in the history. */
export function beginReading(world: World, index: number, from: Position, stage: Stage): World {
  const file = world.files[stage.scenario.hosts[index] ?? 0] ?? null;
  const kept = file !== null && isUsable(world, file, from, stage.rules) ? file : null;
  const replay: Replay<string> = replayFrom(from);
  return withOwner(world, index, { reading: { from, file: kept, replay, commits: [] } });
}

function beginAgain(world: World, index: number, stage: Stage): Step {
  const { seq, epoch } = world.checkpoints;
  return {
    what: `owner ${index} misses slots and begins to read again`,
    world: beginReading(world, index, { seq, epoch }, stage),
  };
}

function isUsable(world: World, file: Kept, from: Position, rules: Rules): boolean {
  const verdict = rules.isFileInHistory(file, from);
  return verdict === "ifSlotHolds" ? slotAt(world, file.seq)?.epoch === file.epoch : verdict === "yes";
}

/** Without a file the rest comes from the checkpoints, as they are when the avatars are first woken. */
function finish(world: World, index: number, { rules }: Stage): World {
  const { reading, writing } = ownerAt(world, index);
  if (reading === null) return world;
  const base = reading.file?.commits ?? world.checkpoints.commits;
  const history = [...base, ...reading.commits.filter((commit) => !base.includes(commit))];
  const step = rules.nextStep("open", "done");
  return withOwner(world, index, { reading: null, history, settled: writing.seq, step });
}

function nextTaken(world: World, after: number): number {
  for (let seq = after + 1; seq <= world.slots.length; seq++) if (slotAt(world, seq) !== null) return seq;
  return 0;
}
