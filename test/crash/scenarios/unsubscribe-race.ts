/**
 * People subscribe and unsubscribe again and again while items flow and a host is killed. Alice, who stays, is the witness of
 * when the source took an item: after it was published, and before she heard it.
 *
 *     asked ──▶ active ···················· leaving ──▶ left
 *        an item taken in between must be there │ one taken wholly outside must not
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Cast, gather, judge } from "../cast.ts";
import { inOrder, nothingDoubled, type Violation } from "../invariants.ts";
import { type NumberedFeed, titleOf } from "../numbered-feed.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

const LENGTH_MS = 30_000;
const ITEM_EVERY_MS = 40;
const PEOPLE = ["dan", "erin", "fay", "gus"];

/** Times are epoch milliseconds. */
interface Stay {
  readonly askedAt: number;
  readonly activeAt: number;
  readonly leavingAt: number;
  readonly leftAt: number;
}

interface Taken {
  readonly title: string;
  readonly publishedAt: number;
  readonly heardAt: number;
}

export const unsubscribeRace: Scenario = {
  name: "unsubscribe-race",
  sentence:
    "subscribing and unsubscribing under load: what was taken meanwhile comes once, what came after never",
  play: async (stage, random) => {
    const cast = await gather(stage, 2);
    const [feed] = cast.feeds as [NumberedFeed];
    const people = await Promise.all(PEOPLE.map((name) => stage.person(name)));
    const publishedAt = new Map<string, number>();
    const untilAtMs = performance.now() + LENGTH_MS;
    const [stays] = await Promise.all([
      Promise.all(people.map((person) => comeAndGo(person, feed, random, untilAtMs))),
      publishSteadily(feed, publishedAt, untilAtMs),
      killAHost(stage, random),
    ]);
    await stage.recovers();
    const found = await judge(stage, cast);
    const items = takenBy(cast, publishedAt);
    const raced = await Promise.all(people.map((person, at) => checkRacer(person, stays[at] ?? [], items)));
    return [...found, ...raced.flat()];
  },
};

async function comeAndGo(
  person: Subscriber,
  feed: NumberedFeed,
  random: Random,
  untilAtMs: number,
): Promise<Stay[]> {
  const stays: Stay[] = [];
  while (performance.now() < untilAtMs) {
    const askedAt = Date.now();
    await person.follows(feed);
    const activeAt = Date.now();
    await pause(random.whole(0, 4_000));
    const leavingAt = Date.now();
    await person.leaves(feed);
    stays.push({ askedAt, activeAt, leavingAt, leftAt: Date.now() });
    await pause(random.whole(0, 2_500));
  }
  mustHaveStruck(stays.length >= 3, `${person.name} came and went ${stays.length} times only`);
  return stays;
}

async function publishSteadily(
  feed: NumberedFeed,
  publishedAt: Map<string, number>,
  untilAtMs: number,
): Promise<void> {
  while (performance.now() < untilAtMs) {
    feed.publishes();
    publishedAt.set(titleOf(feed.name, feed.published), Date.now());
    await pause(ITEM_EVERY_MS);
  }
}

async function killAHost(stage: Stage, random: Random): Promise<void> {
  await pause(random.whole(5_000, 15_000));
  const host = random.pick(stage.hosts);
  await stage.holds(host);
  await stage.starts(host);
}

function takenBy({ alice }: Cast, publishedAt: ReadonlyMap<string, number>): Taken[] {
  const heardAt = new Map(alice.client.heard.toReversed().map(({ title, at }) => [title, at]));
  return [...publishedAt].map(([title, at]) => ({
    title,
    publishedAt: at,
    heardAt: heardAt.get(title) ?? Number.POSITIVE_INFINITY,
  }));
}

async function checkRacer(
  person: Subscriber,
  stays: readonly Stay[],
  items: readonly Taken[],
): Promise<Violation[]> {
  const history = await person.history();
  const there = new Set(history.map(({ title }) => title));
  const due = items.filter((item) => stays.some((stay) => isWithin(item, stay)));
  const undue = items.filter((item) => !stays.some((stay) => isTouching(item, stay)));
  mustHaveStruck(due.length > 0 && undue.length > 0, `${person.name} raced against nothing`);
  const lost = due.filter(({ title }) => !there.has(title));
  const wrong = undue.filter(({ title }) => there.has(title));
  const titles = history.map(({ title }) => title).toReversed();
  return [
    ...lost.map(({ title }) => violation(`${person.name} was subscribed and never got "${title}"`)),
    ...wrong.map(({ title }) => violation(`${person.name} had unsubscribed and got "${title}"`)),
    ...nothingDoubled(person.name, history),
    ...inOrder(`${person.name}'s history`, titles),
  ];
}

function isWithin({ publishedAt, heardAt }: Taken, { activeAt, leavingAt }: Stay): boolean {
  return publishedAt >= activeAt && heardAt <= leavingAt;
}

function isTouching({ publishedAt, heardAt }: Taken, { askedAt, leftAt }: Stay): boolean {
  return publishedAt <= leftAt && heardAt >= askedAt;
}

function violation(what: string): Violation {
  return { invariant: "I1", what };
}
