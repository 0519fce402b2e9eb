/** A host stands still for so long that another one takes its shards, and then goes on where it was. */
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

const STILL_MS = 30_000;
const LOAD = { feeds: 4, items: 3_600, lengthMs: 34_000 };
/** A takeover is promised within 15 s; the rest is for two cores that have much to do. */
const REPLACED_WITHIN_MS = 25_000;
const ENDS_WITHIN_MS = 15_000;

export const zombieOwner: Scenario = {
  name: "zombie-owner",
  sentence: "a host that stood still for 30 s under load is replaced, and ends itself when it goes on",
  play: (stage, random) => underLoad(stage, random, LOAD, () => standStill(stage, random)),
};

async function standStill(stage: Stage, random: Random): Promise<void> {
  const victim = Victim.any(stage, random);
  stage.pauses(victim.process);
  try {
    await Promise.all([pause(STILL_MS), victim.isReplaced(REPLACED_WITHIN_MS)]);
  } finally {
    stage.resumes(victim.process);
  }
  await victim.endsItself(ENDS_WITHIN_MS);
}
