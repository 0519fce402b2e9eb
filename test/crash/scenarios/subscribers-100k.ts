/** One item for a hundred thousand subscribers, and a host that dies in the middle of telling them. */
import { canonicalFeedUrl, shardOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { publisherOf } from "../../../bench/source.ts";
import { checkMemory, checkQuiet } from "../checks.ts";
import { onStageWith } from "../crowd-stage.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import { type Holders, holdersAt } from "../shard-files.ts";
import { nameOfHost, type Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const SUBSCRIBERS = 100_000;
const BIG = canonicalFeedUrl("http://127.0.0.1:9/big.rss");
const WITHIN_MS = 90_000;
const BEGUN_WITHIN_MS = 20_000;
const QUIET_WITHIN_MS = 30_000;
/** While the fan-out runs only one shard in so many is looked at. */
const SAMPLED_EVERY = 8;

export const subscribers100k: Scenario = {
  name: "subscribers-100k",
  sentence:
    "a host dies in the middle of telling 100,000 subscribers: each history has the item exactly once",
  play: (_, random) => {
    const names = Array.from({ length: SUBSCRIBERS }, (_unused, at) => `fan${at}`);
    return onStageWith({ names, follow: [BIG], arePresent: false }, (stage) => play(stage, random));
  },
};

async function play(stage: Stage, random: Random): Promise<Violation[]> {
  const queue = await connectQueue({ url: stage.stack.amqpUrl, log: silentLog() });
  const [host] = stage.hosts as [string];
  const id = await publisherOf(queue, BIG)(1);
  await queue.stop();
  const told = (every = 1) => holdersAt(stage.stack.home, nameOfHost(host), id, every);
  const after = random.whole(1, SUBSCRIBERS / 4) / SAMPLED_EVERY;
  await eventually(() => mustHaveStruck(told(SAMPLED_EVERY).withItem >= after, "nobody has been told"), {
    withinMs: BEGUN_WITHIN_MS,
  });
  await stage.holds(host);
  mustHaveStruck(told().withItem < SUBSCRIBERS, "everybody had been told before the host died");
  await stage.starts(host);
  const expected = sampledCount();
  const look = () => {
    const { withItem } = told(SAMPLED_EVERY);
    if (withItem < expected) throw new Error(`${withItem} of ${expected} have it`);
  };
  // What is missing when the time is up is told by the check.
  await eventually(look, { withinMs: WITHIN_MS }).catch(() => null);
  const left = await checkQuiet(stage, QUIET_WITHIN_MS);
  return [...check(told()), ...checkMemory(stage), ...left];
}

function check({ withItem, items }: Holders): Violation[] {
  const lost = SUBSCRIBERS - withItem;
  return [
    ...(lost === 0
      ? []
      : [{ invariant: "I1" as const, what: `${lost} of ${SUBSCRIBERS} histories lack the item` }]),
    ...(items === withItem
      ? []
      : [{ invariant: "I2" as const, what: `${items - withItem} items too many are in the histories` }]),
  ];
}

/** How many of the subscribers live in the shards that are sampled. */
function sampledCount(): number {
  const names = Array.from({ length: SUBSCRIBERS }, (_, at) => `fan${at}`);
  return names.filter((name) => shardOf(name) % SAMPLED_EVERY === 0).length;
}
