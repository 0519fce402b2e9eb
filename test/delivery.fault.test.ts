/** From the feed to the client: soon, once, and to those alone who asked for it. */
import { FIRST_SILO, itemId, type PollResult, QUEUES, shardOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { afterEach, expect, inject, test } from "vitest";
import type { Feed } from "./theatre/feed.ts";
import type { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

/** From the fetch that finds an item to the client, and from its publication (milliseconds). */
const AFTER_POLL_MS = 1_000;
const WHOLE_WAY_MS = inject("pollMs") + 1_500;
/** From the death of a host until all of its avatars answer (milliseconds). */
const SERVE_AGAIN_MS = 15_000;
/** Until what a dead host had decided and not sent is at the client: its successor repeats it (milliseconds). */
const REPEATED_MS = 15_000;
const HOSTS = ["avatar-host-h1", "avatar-host-h2"];

const theatre = openTheatre();
afterEach(() => theatre.clears());

/** Somebody online who follows a feed. */
async function alicesFeed(): Promise<{ alice: Person; feed: Feed; subscription: string }> {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  const [subscription] = await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  return { alice, feed, subscription };
}

/** Everything published before has come when this has: the order of a source is kept. */
async function hearsAllUpToNow(feed: Feed, ...people: readonly Person[]): Promise<void> {
  const text = `The end of it (${feed.requests})`;
  feed.publishes(text);
  for (const person of people) await person.hears(text);
}

async function heardOnce(person: Person, text: string): Promise<void> {
  expect(person.client.timesHeard(text)).toBe(1);
  const titles = (await person.history()).filter(({ title }) => title.includes(text));
  expect(titles).toHaveLength(1);
}

/** Where a host died, what was handed and not yet recorded may come again, and then it has the same id. */
function isOneNotification(person: Person, text: string): void {
  const ids = person.client.heard.filter(({ body }) => body.includes(text)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(1);
}

test("what a feed publishes is at the connected client in less than a second after the poll that finds it", async () => {
  const { alice, feed } = await alicesFeed();
  for (const text of ["A first room", "A second room", "A third room"]) {
    const publishedAtMs = performance.now();
    feed.publishes(text);
    const { atMs, delayStamp } = await alice.hears(text);
    expect(atMs - feed.firstSentAtMs(text)).toBeLessThan(AFTER_POLL_MS);
    expect(atMs - publishedAtMs).toBeLessThan(WHOLE_WAY_MS);
    expect(delayStamp).toBeNull();
    await alice.hasInHistory(text, "received");
  }
});

test("a client that confirms nothing leaves its notification handed, which is less than received", async () => {
  const { alice, feed } = await alicesFeed();
  alice.client.confirmsNothing();
  feed.publishes("A silent room");
  await alice.hears("A silent room");
  await alice.hasInHistory("A silent room", "handed");
});

test("a feed that has not changed is asked with its validators, and says so in a few bytes", async () => {
  const { alice, feed } = await alicesFeed();
  feed.publishes("One room");
  await alice.hears("One room");
  await feed.isPolled(3);
  expect(feed.unchanged).toBeGreaterThanOrEqual(2);
  await heardOnce(alice, "One room");
});

test("an item that stands in a document twice, and in the next one again, is one notification", async () => {
  const { alice, feed } = await alicesFeed();
  const room = { guid: "room-1", title: "A room named twice", link: "https://rooms.example/1" };
  feed.publishes(room);
  feed.publishes(room);
  await alice.hears(room.title);
  feed.publishes({ ...room, description: "Now with a picture." });
  await hearsAllUpToNow(feed, alice);
  await heardOnce(alice, room.title);
});

test("one feed under two spellings of its address is one subscription and one notification", async () => {
  const { alice, feed, subscription } = await alicesFeed();
  const { origin, pathname } = new URL(feed.url);
  for (const spelling of [`${origin.toUpperCase()}/.${pathname}#top`, `feed:${feed.url}`]) {
    const again = await alice.rest.post("/v1/subscriptions", { url: spelling });
    expect(again).toMatchObject({ status: 200, body: { id: subscription } });
  }
  expect(wellDone(await alice.rest.get("/v1/subscriptions")).items).toHaveLength(1);
  feed.publishes("A room in two places");
  await hearsAllUpToNow(feed, alice);
  await heardOnce(alice, "A room in two places");
});

test("two subscribers of a feed get each item once, and the feed is asked for both together", async () => {
  const { alice, feed } = await alicesFeed();
  const bob = await theatre.user("bob");
  await bob.comesOnline();
  await bob.subscribes(feed);
  const before = feed.requests;
  feed.publishes("A room for two");
  await Promise.all([alice.hears("A room for two"), bob.hears("A room for two")]);
  expect(feed.requests - before).toBeLessThanOrEqual(3);
  await hearsAllUpToNow(feed, alice, bob);
  for (const person of [alice, bob]) await heardOnce(person, "A room for two");
});

test("who unsubscribes hears no more of it, and others do", async () => {
  const { alice, feed, subscription } = await alicesFeed();
  const bob = await theatre.user("bob");
  await bob.comesOnline();
  await bob.subscribes(feed);
  expect((await alice.rest.delete(`/v1/subscriptions/${subscription}`)).status).toBe(204);
  feed.publishes("A room for bob");
  await hearsAllUpToNow(feed, bob);
  await heardOnce(bob, "A room for bob");
  expect(alice.client.heard).toEqual([]);
  expect(await alice.history()).toEqual([]);
});

test("a feed that nobody follows any more is not asked again", async () => {
  const { alice, feed, subscription } = await alicesFeed();
  const other = await theatre.feed("others");
  await alice.subscribes(other);
  await alice.rest.delete(`/v1/subscriptions/${subscription}`);
  await other.isPolled(2);
  const before = feed.requests;
  await other.isPolled(3);
  expect(feed.requests).toBe(before);
});

test("an ingestor that is killed in the middle of a fetch costs a delay, and nothing else", async () => {
  const { alice, feed } = await alicesFeed();
  feed.holdsAnswers();
  feed.publishes("A room in the dark");
  await feed.isAsked();
  await theatre.kills("ingest-rss");
  feed.letsGo();
  await alice.hears("A room in the dark", { withinMs: 20_000 });
  await hearsAllUpToNow(feed, alice);
  await heardOnce(alice, "A room in the dark");
});

test("a result that comes three times, and once in the life of another host, is one notification", {
  timeout: 120_000,
}, async () => {
  const { alice, feed, subscription } = await alicesFeed();
  const queue = await connectQueue({ url: inject("amqpUrl"), log: silentLog() });
  const name = QUEUES.shard(FIRST_SILO, shardOf(subscription));
  const body = JSON.stringify(resultWith(subscription, "A room told thrice"));
  try {
    await queue.publish(name, body);
    await queue.publish(name, body);
    await Promise.all(HOSTS.map((host) => theatre.kills(host)));
    await queue.publish(name, body);
    await alice.hears("A room told thrice", { withinMs: REPEATED_MS });
    feed.publishes("The end of the story");
    await alice.hears("The end of the story", { withinMs: 15_000 });
    isOneNotification(alice, "A room told thrice");
    expect((await alice.history()).map(({ title }) => title)).toEqual([
      "The end of the story",
      "A room told thrice",
    ]);
  } finally {
    await queue.stop();
  }
});

test.each([
  { which: "one avatar host is", victims: ["avatar-host-h1"] },
  { which: "all avatar hosts are", victims: HOSTS },
])(
  "$which killed: the avatars serve again in less than 15 s, and nothing is lost or doubled",
  { timeout: 120_000 },
  async ({ victims }) => {
    const feed = await theatre.feed("rooms");
    const people = await Promise.all(["ann", "bea", "cid", "dot"].map((name) => theatre.user(name)));
    await Promise.all(
      people.map(async (person) => {
        await person.comesOnline();
        await person.subscribes(feed);
      }),
    );
    feed.publishes("A room before");
    await Promise.all(people.map((person) => person.hears("A room before")));

    feed.publishes("A room meanwhile");
    await Promise.all(victims.map((host) => theatre.kills(host)));
    const killedAtMs = performance.now();
    feed.publishes("A room after");
    await Promise.all(people.map((person) => eventually(() => person.history(), { withinMs: 30_000 })));
    expect(performance.now() - killedAtMs).toBeLessThan(SERVE_AGAIN_MS);
    for (const person of people) {
      await person.hears("A room meanwhile", { withinMs: REPEATED_MS });
      await person.hears("A room after", { withinMs: REPEATED_MS });
    }

    const texts = ["A room before", "A room meanwhile", "A room after"];
    await hearsAllUpToNow(feed, ...people);
    for (const person of people) {
      for (const text of texts) isOneNotification(person, text);
      const titles = (await person.history()).map(({ title }) => title);
      expect(titles.slice(1).toReversed()).toEqual(texts);
    }
  },
);

/** What an ingestor says of a document with one new item. */
function resultWith(source: string, title: string): PollResult {
  const item = {
    id: itemId(source, title),
    title,
    link: "https://rooms.example/thrice",
    summary: null,
    author: null,
    publishedAt: null,
  };
  return {
    job: "told-thrice",
    source,
    fetchedAt: Date.now(),
    outcome: "items",
    part: 1,
    parts: 1,
    title: "rooms",
    validators: { etag: null, lastModified: null },
    items: [item],
    failure: null,
  };
}
