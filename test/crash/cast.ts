/**
 * The people of a play and the feeds that they follow, and the judgement of what they got.
 *
 *     alice  follows all feeds and is online     bob  follows two and is away until the end     carol  comes and goes
 */
import { setTimeout as pause } from "node:timers/promises";
import {
  checkLinks,
  checkMemory,
  checkPerson,
  checkQuiet,
  hasEverything,
  hasHeardEverything,
} from "./checks.ts";
import type { Violation } from "./invariants.ts";
import type { NumberedFeed } from "./numbered-feed.ts";
import type { Random } from "./random.ts";
import type { Stage } from "./stage.ts";
import type { Subscriber } from "./subscriber.ts";

export interface Cast {
  readonly alice: Subscriber;
  readonly bob: Subscriber;
  readonly carol: Subscriber;
  readonly feeds: readonly NumberedFeed[];
}

/** How much is published, over which time. */
export interface Load {
  readonly items: number;
  /** Milliseconds. */
  readonly lengthMs: number;
}

/** Bursts in which a load is published. */
const BURSTS = 100;

/** Signs everybody up and opens `count` feeds, two or more; resolves when all subscriptions are active and alice and carol are seen. */
export async function gather(stage: Stage, count: number): Promise<Cast> {
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

/** Publishes `items`, as many in each feed, in bursts of all sizes over the whole length. */
export async function publish(
  feeds: readonly NumberedFeed[],
  random: Random,
  { items, lengthMs }: Load,
): Promise<void> {
  const each = Math.floor(items / feeds.length);
  const due = feeds.flatMap((feed) => {
    const cuts = Array.from({ length: BURSTS / feeds.length - 1 }, () => random.whole(0, each));
    const already = feed.published;
    return [...cuts.sort((a, b) => a - b), each].map((upTo) => ({
      feed,
      upTo: already + upTo,
      afterMs: (upTo / each) * lengthMs,
    }));
  });
  due.sort((a, b) => a.afterMs - b.afterMs);
  const startedAtMs = performance.now();
  for (const { feed, upTo, afterMs } of due) {
    await pause(Math.max(0, afterMs - (performance.now() - startedAtMs)));
    feed.publishes(upTo - feed.published);
  }
}

/**
 * I1 to I8, when all mishaps are over: everybody must get everything within `withinMs` (default two minutes), then
 * leave, and nothing may be left over.
 */
export async function judge(
  stage: Stage,
  { alice, bob, carol }: Cast,
  withinMs?: number,
): Promise<Violation[]> {
  const people = [alice, bob, carol];
  await Promise.all([
    ...people.map((person) => hasEverything(person, withinMs)),
    hasHeardEverything(alice, withinMs),
  ]);
  await bob.client.comesOnline();
  await Promise.all([hasHeardEverything(bob, withinMs), hasHeardEverything(carol, withinMs)]);
  return verdictOn(stage, people);
}

/** I1 to I8, when everybody is there and has had the time to hear everything: they leave their feeds, and nothing may be left over. */
export async function verdictOn(stage: Stage, people: readonly Subscriber[]): Promise<Violation[]> {
  const found = await Promise.all(people.map((person) => checkPerson(person, true)));
  const always = [...checkLinks(stage), ...checkMemory(stage)];
  for (const person of people) for (const feed of person.feeds.keys()) await person.leaves(feed);
  return [...found.flat(), ...always, ...(await checkQuiet(stage))];
}
