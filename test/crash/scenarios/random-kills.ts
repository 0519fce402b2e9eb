/**
 * Ten thousand items while everything is killed: the processes at random moments and at ordered crash points.
 *
 *     alice  follows all feeds and is online     bob  follows two and is away until the end     carol  comes and goes
 */
import { setTimeout as pause } from "node:timers/promises";
import { CRASH_POINTS, type CrashPoint } from "@tidings/runtime";
import { type Planned, planChaos } from "../chaos.ts";
import { checkMemory, checkPerson, checkQuiet, hasEverything, hasHeardEverything } from "../checks.ts";
import type { Violation } from "../invariants.ts";
import type { NumberedFeed } from "../numbered-feed.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

export interface Extent {
  readonly feeds: number;
  readonly items: number;
  /** Time over which the items are published and things go wrong (milliseconds). */
  readonly lengthMs: number;
  /** Crash points that are ordered in one seed. */
  readonly points: number;
}

const WHOLE: Extent = { feeds: 10, items: 10_000, lengthMs: 8_000, points: 4 };
/** Points that a process passes only after a minute of life, or two thousand records: it is left alone until then. */
const RARE: ReadonlySet<CrashPoint> = new Set([
  "checkpoint.rows.after",
  "checkpoint.advance.after",
  "journal.trim.after",
]);

export const randomKills: Scenario = {
  name: "random-kills",
  sentence: "10,000 items while everything is killed at random: nothing lost, nothing doubled, all in order",
  play: (stage, random) => playRandomKills(stage, random, WHOLE),
};

/** Plays the scenario to the `extent`. */
export async function playRandomKills(stage: Stage, random: Random, extent: Extent): Promise<Violation[]> {
  const cast = await gather(stage, extent);
  const plan = planChaos(random, {
    hosts: stage.hosts,
    spared: orderRarePoint(stage, random),
    points: leastHit(stage, random, extent.points),
    passersOf: (point) => stage.orders.passersOf(point),
    lengthMs: extent.lengthMs,
  });
  await Promise.all([
    publish(cast.feeds, random, extent),
    comeAndGo(cast.carol, random, extent.lengthMs),
    ...plan.map((mishap) => carryOut(stage, mishap)),
  ]);
  await stage.recovers();
  withdrawAll(stage, plan);
  return judge(stage, cast);
}

interface Cast {
  readonly alice: Subscriber;
  readonly bob: Subscriber;
  readonly carol: Subscriber;
  readonly feeds: readonly NumberedFeed[];
}

async function gather(stage: Stage, { feeds: count }: Extent): Promise<Cast> {
  const feeds = await Promise.all(Array.from({ length: count }, (_, at) => stage.feed(`feed-${at + 1}`)));
  const [alice, bob, carol] = await Promise.all([
    stage.person("alice"),
    stage.person("bob"),
    stage.person("carol"),
  ]);
  await Promise.all([
    ...feeds.map((feed) => alice.follows(feed)),
    ...feeds.slice(0, 2).flatMap((feed) => [bob.follows(feed), carol.follows(feed)]),
    alice.client.comesOnline(),
    carol.client.comesOnline(),
  ]);
  await Promise.all([alice.isSeen(), carol.isSeen()]);
  return { alice, bob, carol, feeds };
}

/** Publishes `items` in bursts of all sizes, over the whole length. */
async function publish(
  feeds: readonly NumberedFeed[],
  random: Random,
  { items, lengthMs }: Extent,
): Promise<void> {
  const bursts = 100;
  const each = items / feeds.length;
  const due = feeds.flatMap((feed) => {
    const cuts = Array.from({ length: bursts / feeds.length - 1 }, () => random.whole(0, each)).sort(
      (a, b) => a - b,
    );
    return [...cuts, each].map((upTo) => ({ feed, upTo, afterMs: (upTo / each) * lengthMs }));
  });
  due.sort((a, b) => a.afterMs - b.afterMs);
  const startedAtMs = performance.now();
  for (const { feed, upTo, afterMs } of due) {
    await pause(Math.max(0, afterMs - (performance.now() - startedAtMs)));
    feed.publishes(upTo - feed.published);
  }
}

async function comeAndGo(carol: Subscriber, random: Random, lengthMs: number): Promise<void> {
  await pause(random.whole(0, lengthMs / 2));
  await carol.client.goesOffline();
  await pause(random.whole(0, lengthMs / 2));
  await carol.client.comesOnline();
}

async function carryOut(stage: Stage, mishap: Planned): Promise<void> {
  await pause(mishap.afterMs);
  switch (mishap.kind) {
    case "kill":
      return stage.kills(mishap.process);
    case "stop":
      return stage.stops(mishap.process);
    case "restartNode":
      return stage.restartsNode(mishap.role);
    case "crash":
      return stage.orders.order(mishap.process, mishap.point, mishap.passes);
  }
}

/** The points that were hit least so far, of equals any. */
function leastHit(stage: Stage, random: Random, count: number): CrashPoint[] {
  const hits = stage.orders.hits();
  const common = random.shuffled(CRASH_POINTS.filter((point) => !RARE.has(point)));
  return common.sort((a, b) => (hits.get(a) ?? 0) - (hits.get(b) ?? 0)).slice(0, count);
}

/** As long as a rare point was never hit, one host has an order for it and is spared from everything else. */
function orderRarePoint(stage: Stage, random: Random): ReadonlySet<string> {
  const hits = stage.orders.hits();
  const point = [...RARE].find((rare) => hits.get(rare) === 0);
  if (point === undefined) return new Set();
  const waiting = stage.hosts.find((host) => stage.orders.isWaiting(host, point));
  const host = waiting ?? random.pick(stage.hosts);
  if (waiting === undefined) stage.orders.order(host, point, 0);
  return new Set([host]);
}

/** What was not reached in this seed must not strike in the next, which is another one's play. */
function withdrawAll(stage: Stage, plan: readonly Planned[]): void {
  for (const mishap of plan) if (mishap.kind === "crash") stage.orders.withdraw(mishap.process, mishap.point);
}

async function judge(stage: Stage, { alice, bob, carol, feeds }: Cast): Promise<Violation[]> {
  const people = [alice, bob, carol];
  await Promise.all([...people.map((person) => hasEverything(person)), hasHeardEverything(alice)]);
  await bob.client.comesOnline();
  await Promise.all([hasHeardEverything(bob), hasHeardEverything(carol)]);
  const found = await Promise.all(people.map((person) => checkPerson(person, true)));
  const memory = checkMemory(stage);
  for (const person of people)
    for (const feed of feeds) if (person.feeds.has(feed)) await person.leaves(feed);
  return [...found.flat(), ...memory, ...(await checkQuiet(stage))];
}
