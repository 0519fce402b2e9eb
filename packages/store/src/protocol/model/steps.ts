/** Everything that can happen next in a world, each with a sentence for the trace. */
import { append, type Reply, requestOf, takeJournal, type Writing } from "../writing.ts";
import { beginReading, readingSteps } from "./reading-steps.ts";
import type { Rules } from "./rules.ts";
import {
  type Kept,
  type Owner,
  ownerAt,
  type Scenario,
  type Slot,
  slotAt,
  tailOf,
  type World,
  withOwner,
  withSlot,
} from "./world.ts";

const NOWHERE = { seq: 0, epoch: 0 };

export interface Step {
  readonly what: string;
  readonly world: World;
}

export interface Stage {
  readonly rules: Rules;
  readonly scenario: Scenario;
}

/** The steps that are possible in `world`. */
export function stepsFrom(world: World, stage: Stage): Step[] {
  const steps = world.owners.flatMap((_, index) => ownerSteps(world, index, stage));
  return [...steps, ...networkSteps(world)];
}

function ownerSteps(world: World, index: number, stage: Stage): Step[] {
  const owner = ownerAt(world, index);
  const steps = checkpointSteps(world, index, stage);
  switch (owner.step) {
    case "waiting": {
      const isTurn = index === 0 || ownerAt(world, index - 1).step !== "waiting";
      return isTurn ? [take(world, index, stage)] : [];
    }
    case "open":
      return owner.reading === null ? writingSteps(world, index, stage) : readingSteps(world, index, stage);
    case "claim":
    case "ready":
      return [...steps, claimStep(world, index, owner.step, stage)];
    case "serving":
    case "drain":
      return [...steps, ...servingSteps(world, index, stage), ...writingSteps(world, index, stage)];
    case "seal":
      return [...steps, ...writingSteps(world, index, stage)];
    case "checkpoint":
    case "pause":
    case "abandon":
    case "clear":
      return [done(world, index, stage)];
    case "unclaim":
      return [...steps, unclaim(world, index, stage)];
    case "take":
    case "over":
    case "gone":
      return steps;
  }
}

/** The lease is taken with the next epoch, whatever the owner before is doing: it may be dead, or only look so. */
function take(world: World, index: number, { rules }: Stage): Step {
  const epoch = world.leaseEpoch + 1;
  const writing = takeJournal(`w${index}`, epoch);
  const taken = withOwner(world, index, { step: rules.nextStep("take", "done"), writing });
  return {
    what: `owner ${index} takes the shard with epoch ${epoch}`,
    world: { ...taken, leaseEpoch: epoch },
  };
}

function done(world: World, index: number, { rules }: Stage): Step {
  const { step } = ownerAt(world, index);
  if (step === "waiting" || step === "gone") throw new Error(`owner ${index} is ${step}`);
  const next = rules.nextStep(step, "done");
  return { what: `owner ${index} goes on from ${step}`, world: withOwner(world, index, { step: next }) };
}

/** What the request of the owner's writer can lead to. */
function writingSteps(world: World, index: number, stage: Stage): Step[] {
  const { writing } = ownerAt(world, index);
  const request = requestOf(writing);
  if (request === null) return [];
  const answered = (what: string, reply: Reply, changed: World = world): Step => ({
    what: `owner ${index}: ${what}`,
    world: afterReply(changed, index, reply, stage),
  });
  switch (request.ask) {
    case "readTail":
      return [answered("reads the journal's end", { of: "tail", at: tailOf(world) })];
    case "readPosition":
      return [
        answered("reads where the checkpoints are", { of: "position", at: positionOf(world.checkpoints) }),
      ];
    case "readSlot": {
      const found = slotAt(world, request.seq);
      return [answered(`reads slot ${request.seq}`, { of: "slot", found })];
    }
    case "put": {
      const slot = { ...request.record, load: loadOf(world, index, request.record.kind) };
      return putSteps(world, request.seq, slot, answered);
    }
  }
}

type Answered = (what: string, reply: Reply, changed?: World) => Step;

/** Written or refused; or, as a fault, without an answer: written, or not, or written later. */
function putSteps(world: World, seq: number, slot: Slot, answered: Answered): Step[] {
  const isFree = slotAt(world, seq) === null;
  const name = `${slot.kind} ${slot.load} into slot ${seq}`;
  const written = isFree ? withSlot(world, seq, slot) : world;
  const steps = [
    answered(isFree ? `puts ${name}` : `finds slot ${seq} taken`, { of: "put", isWritten: isFree }, written),
  ];
  if (world.faultsLeft === 0) return steps;
  const faulty = { ...world, faultsLeft: world.faultsLeft - 1 };
  const late = { ...faulty, late: [...world.late, { seq, slot }] };
  steps.push(answered(`puts ${name}, which the network delays`, { of: "nothing" }, late));
  if (isFree)
    steps.push(
      answered(`puts ${name}, and the answer is lost`, { of: "nothing" }, withSlot(faulty, seq, slot)),
    );
  return steps;
}

/** The owner's state after the answer, and what follows from a group that became durable, or from being deposed. */
function afterReply(world: World, index: number, reply: Reply, { rules, scenario }: Stage): World {
  const owner = ownerAt(world, index);
  const writing = rules.advance(owner.writing, reply);
  const changed = withOwner(world, index, { writing });
  if (writing.doing.step === "deposed") return withOwner(changed, index, { step: "gone", unsaid: [] });
  if (writing.doing.step !== "idle") return changed;
  if (owner.step === "open")
    return beginReading(changed, index, writing.checkpointed ?? NOWHERE, { rules, scenario });
  if (owner.step === "seal") return withOwner(changed, index, { step: rules.nextStep("seal", "done") });
  if (owner.writing.doing.step === "idle") return changed;
  return settle(changed, index, scenario, writing.seq);
}

function settle(world: World, index: number, scenario: Scenario, seq: number): World {
  const owner = ownerAt(world, index);
  const commit = commitName(index, owner, scenario);
  const promised = world.promised.with(index, [...(world.promised[index] ?? []), commit]);
  const change: Partial<Owner> = {
    history: [...owner.history, commit],
    unsaid: scenario.hasEffects ? [...owner.unsaid, commit] : [],
    commitsLeft: owner.commitsLeft - 1,
    settled: seq,
  };
  return { ...withOwner(world, index, change), promised };
}

function servingSteps(world: World, index: number, { rules, scenario }: Stage): Step[] {
  const owner = ownerAt(world, index);
  const isIdle = owner.writing.doing.step === "idle";
  const steps: Step[] = [];
  const grow = (what: string, change: Partial<Owner>) =>
    steps.push({ what: `owner ${index} ${what}`, world: withOwner(world, index, change) });
  if (owner.unsaid.length > 0) steps.push(speak(world, index));
  if (owner.step === "serving" && scenario.hasEffects && world.router.owner !== index)
    steps.push(claimAgain(world, index, rules));
  if (owner.step === "serving" && isIdle && owner.commitsLeft > 0)
    grow(`begins ${commitName(index, owner, scenario)}`, { writing: begun(owner, index, scenario) });
  if (owner.step === "serving" && scenario.releases[index])
    grow("is asked to release", { step: rules.nextStep("serving", "done") });
  if (owner.step === "drain" && rules.isDrained(isIdle, owner.unsaid.length))
    grow("is drained", {
      step: rules.nextStep("drain", "done"),
      writing: isIdle ? append(owner.writing, ["release"]) : owner.writing,
    });
  if (owner.step === "drain" && !isIdle) grow("drains too long", { step: "abandon", unsaid: [] });
  const file = world.files[scenario.hosts[index] ?? 0] ?? null;
  if (
    (file?.seq ?? 0) < owner.settled &&
    scenario.hosts.indexOf(scenario.hosts[index] ?? 0, index + 1) > index
  )
    steps.push({ what: `owner ${index} writes its file`, world: withFile(world, index, scenario) });
  return steps;
}

/** An effect of a durable commit leaves; the router lets it pass only from who holds the claim. */
function speak(world: World, index: number): Step {
  const owner = ownerAt(world, index);
  const said = withOwner(world, index, { unsaid: owner.unsaid.slice(1) });
  const what = `owner ${index} says that ${owner.unsaid[0]} is done`;
  if (world.router.owner !== index) return { what: `${what}, and the router drops it`, world: said };
  const { epoch } = owner.writing;
  const problem =
    epoch < world.saidEpoch
      ? `epoch ${epoch} said something after epoch ${world.saidEpoch} had`
      : said.problem;
  return { what, world: { ...said, saidEpoch: Math.max(world.saidEpoch, epoch), problem } };
}

function claimStep(world: World, index: number, step: "claim" | "ready", { rules }: Stage): Step {
  const { writing } = ownerAt(world, index);
  const { router } = world;
  const isGranted =
    step === "claim"
      ? rules.grants(writing.epoch, router.epoch, router.owner === index)
      : router.owner === index && router.epoch === writing.epoch;
  const next = withOwner(world, index, { step: rules.nextStep(step, isGranted ? "done" : "failed") });
  const what = `owner ${index}: the router ${isGranted ? "grants" : "refuses"} ${step}`;
  if (!isGranted) return { what, world: next };
  const claimed = { epoch: writing.epoch, owner: index, isReady: step === "ready" };
  return { what, world: { ...next, router: claimed } };
}

/** The owner's connection has come back: the same claim again. Refused, it knows that it is deposed and ends. */
function claimAgain(world: World, index: number, rules: Rules): Step {
  const { epoch } = ownerAt(world, index).writing;
  if (!rules.grants(epoch, world.router.epoch, false))
    return {
      what: `owner ${index}: the router refuses to have it back`,
      world: withOwner(world, index, { step: "gone", unsaid: [] }),
    };
  const router = { epoch, owner: index, isReady: true };
  return { what: `owner ${index}: the router grants the same claim again`, world: { ...world, router } };
}

function unclaim(world: World, index: number, stage: Stage): Step {
  const next = done(world, index, stage);
  if (world.router.owner !== index) return next;
  return {
    what: next.what,
    world: { ...next.world, router: { ...world.router, owner: null, isReady: false } },
  };
}

/** A checkpoint goes its way beside everything else, also while its owner has been deposed and does not know. */
function checkpointSteps(world: World, index: number, { rules }: Stage): Step[] {
  const owner = ownerAt(world, index);
  const run = owner.checkpoint;
  const step = (what: string, next: World) => [{ what: `owner ${index} ${what}`, world: next }];
  if (run === null) {
    if (owner.checkpointsLeft === 0 || owner.step !== "serving" || owner.settled === 0) return [];
    const kept = { seq: owner.settled, epoch: owner.writing.epoch, commits: owner.history };
    const change = {
      checkpoint: { stage: "rowsWritten", kept },
      checkpointsLeft: owner.checkpointsLeft - 1,
    } as const;
    return step("writes rows into the checkpoints", withOwner(world, index, change));
  }
  if (run.stage === "rowsWritten") {
    const slots = world.slots.flatMap((slot, at) =>
      slot !== null && at + 1 <= rules.lastToTrim(run.kept.seq) && rules.isTrimmable(slot.kind)
        ? [at + 1]
        : [],
    );
    const moved = world.checkpoints.seq < run.kept.seq ? { ...world, checkpoints: run.kept } : world;
    const checkpoint = slots.length === 0 ? null : ({ stage: "trimming", slots } as const);
    return step(`moves the checkpoints to ${run.kept.seq}`, withOwner(moved, index, { checkpoint }));
  }
  const [first = 0, ...rest] = run.slots;
  const checkpoint = rest.length === 0 ? null : ({ stage: "trimming", slots: rest } as const);
  return step(`trims slot ${first}`, withOwner(withSlot(world, first, null), index, { checkpoint }));
}

function networkSteps(world: World): Step[] {
  return world.late.map(({ seq, slot }, at) => {
    const landed = slotAt(world, seq) === null ? withSlot(world, seq, slot) : world;
    const late = world.late.toSpliced(at, 1);
    return {
      what: `the network carries out a late put of ${slot.load} into slot ${seq}`,
      world: { ...landed, late },
    };
  });
}

function withFile(world: World, index: number, { hosts }: Scenario): World {
  const { settled, writing, history } = ownerAt(world, index);
  const kept = { seq: settled, epoch: writing.epoch, commits: history };
  return { ...world, files: world.files.with(hosts[index] ?? 0, kept) };
}

function begun(owner: Owner, index: number, { commits }: Scenario): Writing {
  const own = commits[index] ?? [];
  const slots = own[own.length - owner.commitsLeft];
  return append(owner.writing, slots === 2 ? ["part", "write"] : ["write"]);
}

function commitName(index: number, owner: Owner, { commits }: Scenario): string {
  return `c${index}.${(commits[index] ?? []).length - owner.commitsLeft}`;
}

function loadOf(world: World, index: number, kind: Slot["kind"]): string {
  const owner = ownerAt(world, index);
  if (kind === "fence" || kind === "release") return `of epoch ${owner.writing.epoch}`;
  return `c${index}.${world.promised[index]?.length ?? 0}`;
}

function positionOf({ seq, epoch }: Kept) {
  return { seq, epoch };
}
