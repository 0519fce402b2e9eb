/** A host is cut off from one of the two that it needs, and from nothing else. */
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

const LOAD = { feeds: 4, items: 3_600, lengthMs: 25_000 };
const REPLACED_WITHIN_MS = 25_000;
/** Without the bus it is left to notice, to give its shards up, and to another host to take them. */
const REPLACED_WITHOUT_BUS_WITHIN_MS = 35_000;
const ENDS_WITHIN_MS = 15_000;

export const hostCutFromDynamodb: Scenario = {
  name: "host-cut-from-dynamodb",
  sentence: "a host that cannot reach DynamoDB is replaced, and ends itself when it can",
  play: (stage, random) => underLoad(stage, random, LOAD, () => cutFromDynamodb(stage, random)),
};

export const hostCutFromBus: Scenario = {
  name: "host-cut-from-bus",
  sentence: "a host that cannot reach ejabberd, and goes on with its heartbeat, is replaced",
  play: (stage, random) => underLoad(stage, random, LOAD, () => cutFromBus(stage, random)),
};

async function cutFromDynamodb(stage: Stage, random: Random): Promise<void> {
  const victim = Victim.any(stage, random);
  const link = stage.links.link(victim.process, "dynamo");
  link.cuts();
  await victim.log.says(/"heartbeat failed"/, 5_000);
  await victim.isReplaced(REPLACED_WITHIN_MS);
  link.heals();
  await victim.endsItself(ENDS_WITHIN_MS);
}

async function cutFromBus(stage: Stage, random: Random): Promise<void> {
  const victim = Victim.any(stage, random);
  const link = stage.links.link(victim.process, "bus");
  link.cuts();
  await victim.log.says(/"the connection broke"/, 5_000);
  await victim.isReplaced(REPLACED_WITHOUT_BUS_WITHIN_MS);
  link.heals();
}
