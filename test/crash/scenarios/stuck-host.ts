/** A host stands still for a minute under load: what ejabberd keeps for it is bounded. */
import { setTimeout as pause } from "node:timers/promises";
import type { Violation } from "../invariants.ts";
import { memoryBounded } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

const STILL_MS = 60_000;
const LOAD = { feeds: 8, items: 8_000, lengthMs: 62_000 };
const NODE = "ejabberd avatars";
/** What the node may take beyond what it took before (bytes): two windows of frames for each pair of shards are less. */
const GROWTH_BYTES = 120_000_000;
const LOOK_EVERY_MS = 250;
const REPLACED_WITHIN_MS = 25_000;
const ENDS_WITHIN_MS = 15_000;

export const stuckHost: Scenario = {
  name: "stuck-host",
  sentence:
    "a host that stands still for 60 s under load leaves ejabberd's memory bounded, and ends when it goes on",
  play: async (stage, random) => {
    const before = stage.probe.memory([]).get(NODE) ?? 0;
    let most = 0;
    const violations = await underLoad(stage, random, LOAD, async () => {
      most = await standStill(stage, random);
    });
    return [...violations, ...bounded(before, most)];
  },
};

/** Resolves with the most that the node has taken meanwhile (bytes). */
async function standStill(stage: Stage, random: Random): Promise<number> {
  const victim = Victim.any(stage, random);
  stage.pauses(victim.process);
  try {
    const [most] = await Promise.all([mostTaken(stage), victim.isReplaced(REPLACED_WITHIN_MS)]);
    return most;
  } finally {
    stage.resumes(victim.process);
    await victim.endsItself(ENDS_WITHIN_MS);
  }
}

/** The most that the node takes in the time that the host stands still (bytes). */
async function mostTaken(stage: Stage): Promise<number> {
  const untilAtMs = performance.now() + STILL_MS;
  let most = 0;
  while (performance.now() < untilAtMs) {
    most = Math.max(most, stage.probe.memory([]).get(NODE) ?? 0);
    await pause(LOOK_EVERY_MS);
  }
  return most;
}

function bounded(before: number, most: number): Violation[] {
  return memoryBounded(new Map([[NODE, most]]), before + GROWTH_BYTES);
}
