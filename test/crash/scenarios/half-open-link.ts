/** A link whose connections stay and swallow everything: only silence tells. */
import { LogTail } from "../log-tail.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

/** On the bus silence is noticed after 30 s without a byte and 10 s without an answer to a ping (packages/bus/src/keep-alive.ts). */
const NOTICED_WITHIN_MS = 50_000;
const BUS_LOAD = { feeds: 4, items: 3_600, lengthMs: 42_000 };
const DYNAMODB_LOAD = { feeds: 4, items: 3_600, lengthMs: 25_000 };
const REPLACED_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 15_000;
const SILENCE = /"the server is silent"/;

export const halfOpenHostToBus: Scenario = {
  name: "half-open-host-to-bus",
  sentence: "a host whose connection to ejabberd swallows everything notices, and nothing is lost by it",
  play: (stage, random) =>
    underLoad(stage, random, BUS_LOAD, () => onTheBus(stage, random.pick(stage.hosts))),
};

export const halfOpenAgentToBus: Scenario = {
  name: "half-open-agent-to-bus",
  sentence: "an agent whose connection to ejabberd swallows everything notices, and nothing is lost by it",
  play: (stage, random) => underLoad(stage, random, BUS_LOAD, () => onTheBus(stage, "agent-xmpp")),
};

export const halfOpenHostToDynamodb: Scenario = {
  name: "half-open-host-to-dynamodb",
  sentence: "a host whose connections to DynamoDB swallow everything is replaced, and ends itself afterwards",
  play: (stage, random) => underLoad(stage, random, DYNAMODB_LOAD, () => toDynamodb(stage, random)),
};

async function onTheBus(stage: Stage, process: string): Promise<void> {
  const log = new LogTail(stage, process);
  const link = stage.links.link(process, "bus");
  link.halfOpens();
  await log.says(SILENCE, NOTICED_WITHIN_MS);
  link.heals();
}

async function toDynamodb(stage: Stage, random: Random): Promise<void> {
  const victim = Victim.any(stage, random);
  const link = stage.links.link(victim.process, "dynamo");
  link.halfOpens();
  await victim.log.says(/"heartbeat failed"/, 15_000);
  await victim.isReplaced(REPLACED_WITHIN_MS);
  link.heals();
  await victim.endsItself(ENDS_WITHIN_MS);
}
