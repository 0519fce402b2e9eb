/** What breaks readers and encoders, in the feed and on the queue, between numbered items that must all come. */
import { setTimeout as pause } from "node:timers/promises";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { gather, judge } from "../cast.ts";
import { hasEverything } from "../checks.ts";
import type { Violation } from "../invariants.ts";
import type { NumberedFeed } from "../numbered-feed.ts";
import { queueOf, resultOf, strayItem } from "../queued-items.ts";
import type { Random } from "../random.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

const DEEP = 10_000;
const MILLION = 1_000_000;
/** Numbered items between two poisoned ones, in each feed. */
const BETWEEN = 25;
const PAUSE_MS = 700;

/** What a feed's document may hold. Each title begins with a word of its own, by which it is found again. */
const IN_THE_FEED: readonly string[] = [
  "<guid>p1</guid><title>controlled \u0000\u0001\u0007\u001b &#0; &#7; &#x1F; \ufffe</title>",
  `<guid>p2</guid><title>endless ${"long ".repeat(MILLION / 5)}</title>`,
  "<guid>p3</guid><title>surrogate &#xD800; &#xDFFF; &#55296;</title>",
  `<guid>p4</guid><title>deep</title><description>${"<b>".repeat(DEEP)}x${"</b>".repeat(DEEP)}</description>`,
  `<guid>p5</guid><title>unclosed</title><description>${"<div><p>".repeat(DEEP)}</description>`,
  "<guid>p6</guid><title>forged ]]></title><description><![CDATA[</message></stream:stream>]]></description>",
];

interface Stray {
  readonly name: string;
  /** The message on the queue of the feed's shard. */
  readonly body: (feed: NumberedFeed) => string;
}

/** What an ingestor never sends, and a broken one might. */
const ON_THE_QUEUE: readonly Stray[] = [
  { name: "gibberish", body: () => "gibberish, not JSON" },
  { name: "nested", body: () => `{"nested":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}` },
  { name: "controls", body: (feed) => resultWith(feed, "controls", "controls \u0000\u0007\u001b\ufffe") },
  { name: "halves", body: (feed) => resultWith(feed, "halves", "halves \ud800 and \udfff") },
  { name: "megabyte", body: (feed) => resultWith(feed, "megabyte", `megabyte ${"m".repeat(MILLION)}`) },
];

export const poison: Scenario = {
  name: "poison",
  sentence:
    "control characters, halves of characters, a megabyte, 10,000 levels: all others come, nothing is stuck",
  play: async (stage, random) => {
    const cast = await gather(stage, 2);
    const queue = await connectQueue({ url: stage.stack.amqpUrl, log: silentLog() });
    const [poisoned, other] = random.shuffled(cast.feeds) as [NumberedFeed, NumberedFeed];
    await poisonFeed(poisoned, queue, random);
    other.publishes(BETWEEN);
    await queue.stop();
    await Promise.all([cast.alice, cast.bob, cast.carol].map((person) => hasEverything(person)));
    const dead = await stage.probe.takesDeadLetters();
    const fates = await checkFates(cast.alice, dead);
    return [...fates, ...(await judge(stage, cast))];
  },
};

async function poisonFeed(feed: NumberedFeed, queue: Queue, random: Random): Promise<void> {
  const strays = random.shuffled(ON_THE_QUEUE);
  for (const [at, inside] of random.shuffled(IN_THE_FEED).entries()) {
    feed.publishes(BETWEEN);
    feed.publishesXml(inside);
    const stray = strays[at];
    if (stray !== undefined) await queue.publish(queueOf(feed), stray.body(feed));
    feed.publishes(BETWEEN);
    await pause(PAUSE_MS);
  }
}

/** Each poisoned thing was cleaned and came, or is a dead letter. */
async function checkFates(person: Subscriber, dead: readonly string[]): Promise<Violation[]> {
  const titles = (await person.history()).map(({ title }) => title);
  mustHaveStruck(dead.length > 0, "nothing was poisonous enough for the dead letters");
  const words = ["controlled", "endless", "surrogate", "deep", "unclosed", "forged"];
  const lost = words.filter((word) => !titles.some((title) => title.startsWith(word)));
  const stray = ON_THE_QUEUE.filter(
    ({ name }) =>
      !titles.some((title) => title.startsWith(name)) && !dead.some((body) => body.includes(name)),
  ).map(({ name }) => name);
  const raw = titles.filter((title) => /\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(title));
  return [
    ...[...lost, ...stray].map((name) => violation(`what was poisoned by "${name}" vanished in silence`)),
    ...raw.map((title) => violation(`${JSON.stringify(title)} stands in a history as it came`)),
  ];
}

function resultWith(feed: NumberedFeed, guid: string, title: string): string {
  return JSON.stringify(resultOf(feed, [strayItem(feed, guid, title)]));
}

function violation(what: string): Violation {
  return { invariant: "I1", what };
}
