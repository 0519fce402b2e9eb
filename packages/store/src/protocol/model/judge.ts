/** What must hold in every world. The judge reads the journal by the true rules, whichever rule is broken. */
import { readRecord, replayFrom } from "../replay.ts";
import { type Owner, slotAt, type World } from "./world.ts";

const AFTER_RELEASE: readonly Owner["step"][] = ["clear", "unclaim", "over"];

/** What is wrong with `world`, in a sentence; null when nothing is. */
export function problemOf(world: World): string | null {
  if (world.problem !== null) return world.problem;
  const truth = commitsOf(world);
  if (truth === null) return "there is a gap in the journal above the checkpoints";
  const twice = truth.find((commit, at) => truth.indexOf(commit) !== at);
  if (twice !== undefined) return `${twice} is replayed twice`;
  for (const promised of world.promised) {
    const places = promised.map((commit) => truth.indexOf(commit));
    const lost = promised[places.indexOf(-1)];
    if (lost !== undefined) return `${lost} was acknowledged and is not replayed`;
    if (places.some((place, at) => at > 0 && place < (places[at - 1] ?? 0)))
      return "acknowledged commits are replayed in another order";
  }
  return hasty(world) ?? disagreement(world, truth);
}

/** Who gives a shard back has said everything that it has to say for it. */
function hasty({ owners }: World): string | null {
  const index = owners.findIndex(({ step, unsaid }) => AFTER_RELEASE.includes(step) && unsaid.length > 0);
  return index === -1 ? null : `owner ${index} gave the shard back before it had said what is done`;
}

/** The commits that the checkpoints and the journal hold, in order; null when slots are missing. */
function commitsOf(world: World): string[] | null {
  const commits = [...world.checkpoints.commits];
  let replay = replayFrom<string>(world.checkpoints);
  for (let seq = world.checkpoints.seq + 1; seq <= world.slots.length; seq++) {
    const slot = slotAt(world, seq);
    if (slot === null) continue;
    const reading = readRecord(replay, seq, slot, slot.load);
    if (reading === "gap") return null;
    replay = reading.replay;
    if (reading.group !== null) commits.push(String(reading.group.at(-1)));
  }
  return commits;
}

/** The owner whose fence is the latest knows every commit, but for the one that it is writing. */
function disagreement(world: World, truth: readonly string[]): string | null {
  const index = world.owners.findLastIndex(hasFenced);
  const owner = world.owners[index];
  if (owner === undefined || !hasRead(owner)) return null;
  const isPrefix = owner.history.every((commit, at) => truth[at] === commit);
  const beyond = truth.slice(owner.history.length);
  if (isPrefix && beyond.every((commit) => commit.startsWith(`c${index}.`)) && beyond.length <= 1)
    return null;
  return `owner ${index} goes on from [${owner.history.join(" ")}], and the journal holds [${truth.join(" ")}]`;
}

function hasFenced({ step, writing }: Owner): boolean {
  return step !== "waiting" && (writing.checkpointed !== null || step === "gone");
}

function hasRead({ step }: Owner): boolean {
  return step !== "open" && step !== "gone";
}
