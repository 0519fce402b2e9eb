/** DynamoDB answers badly: it applies writes and nobody hears of it, or it refuses requests for their number. */
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import type { Scenario } from "./scenario.ts";

/** A host takes over from one that was killed within this (milliseconds). */
const LENGTH_MS = 15_000;
const LOAD = { feeds: 4, items: 3_600, lengthMs: 20_000 };
const LESS_LOAD = { feeds: 2, items: 1_200, lengthMs: 15_000 };
const LOST_SHARE = 0.2;
const REFUSED_SHARE = 0.3;
/** A burst in which everything is refused (milliseconds): shorter than what hosts are taken for dead after. */
const BURST_MS = 5_000;
/** What must have happened to each host, or the play proves nothing. */
const LEAST = 5;

const REPLY_LOST =
  "a fifth of all writes to DynamoDB are applied and their replies lost, also while a host takes over from another";

export const replyLost: Scenario = {
  name: "reply-lost",
  sentence: REPLY_LOST,
  play: (stage, random) =>
    underLoad(stage, random, LOAD, () => loseReplies(stage, random, random.whole(0, LENGTH_MS / 2))),
};

/** The same with fewer items and nothing before the kill, for `npm test`. */
export const fewRepliesLost: Scenario = {
  name: "few-replies-lost",
  sentence: REPLY_LOST,
  play: (stage, random) => underLoad(stage, random, LESS_LOAD, () => loseReplies(stage, random, 0)),
};

export const throttling: Scenario = {
  name: "throttling",
  sentence: "DynamoDB refuses three requests of ten for 15 s, and then all of them for 5 s",
  play: (stage, random) => underLoad(stage, random, LOAD, () => throttle(stage, random)),
};

/** After `untilKillMs` a host is killed. */
async function loseReplies(stage: Stage, random: Random, untilKillMs: number): Promise<void> {
  const links = linksOf(stage);
  const before = links.map((link) => link.lost);
  for (const link of links) link.losesReplies(({ isWrite }) => isWrite && random.chance(LOST_SHARE));
  await pause(untilKillMs);
  const victim = random.pick(stage.hosts);
  stage.kills(victim);
  await pause(LENGTH_MS);
  for (const link of links) link.heals();
  const lost = links.map((link, at) => link.lost - (before[at] ?? 0));
  // The one that was killed may be back so late that it had nothing to write: the fault is that of who takes over.
  mustHaveStruck(lost.filter((_, at) => stage.hosts[at] !== victim));
}

async function throttle(stage: Stage, random: Random): Promise<void> {
  const links = linksOf(stage);
  const before = links.map((link) => link.refused);
  for (const link of links) link.refuses(() => random.chance(REFUSED_SHARE));
  await pause(LENGTH_MS);
  for (const link of links) link.refuses(() => true);
  await pause(BURST_MS);
  for (const link of links) link.heals();
  mustHaveStruck(links.map((link, at) => link.refused - (before[at] ?? 0)));
}

function linksOf(stage: Stage) {
  return stage.hosts.map((process) => stage.links.link(process, "dynamo"));
}

function mustHaveStruck(times: readonly number[]): void {
  if (Math.min(...times) < LEAST) throw new Error(`it struck the hosts only ${times.join(" and ")} times`);
}
