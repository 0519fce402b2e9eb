/** The servers on which people have their accounts go away for a while: what comes meanwhile is told when they are back. */
import { afterEach, expect, test } from "vitest";
import { openTheatre } from "./theatre/theatre.ts";

/** Long enough for several tries to fail. */
const AWAY_MS = 12_000;
const BACK_MS = 40_000;

const theatre = openTheatre();
afterEach(() => theatre.clears());

/** A server is away for a time, which no event ends. */
const timePasses = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test("what is published while the users' server is down is told once it is up, each once and in order", {
  timeout: 120_000,
}, async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  await theatre.isWithout("users", async () => {
    feed.publishes("A first room");
    await alice.hasHistoryOf(1);
    feed.publishes("A second room");
    await alice.hasHistoryOf(2);
    await timePasses(AWAY_MS);
  });
  await alice.client.goesOffline();
  await alice.client.comesOnline();
  await alice.hears("A second room", { withinMs: BACK_MS });
  await alice.hasInHistory("A second room", "received");
  expect(alice.client.heard.map(({ body }) => body.split("\n")[0])).toEqual([
    "A first room",
    "A second room",
  ]);
});

test("what is published while a foreign server is away is told once it is back", {
  timeout: 120_000,
}, async () => {
  const [alice, feed, abroad] = await Promise.all([
    theatre.user("alice"),
    theatre.feed("rooms"),
    theatre.abroad("alice"),
  ]);
  const before = abroad.client("alice");
  await before.comesOnline();
  await Promise.all([alice.links(before), alice.subscribes(feed)]);
  await abroad.isAwayDuring(async () => {
    feed.publishes("A distant room");
    await alice.hasHistoryOf(1);
    await timePasses(AWAY_MS);
  });
  const after = abroad.client("alice");
  await after.comesOnline();
  await after.hears("A distant room", { withinMs: BACK_MS });
  await alice.hasInHistory("A distant room", "received");
  expect(after.timesHeard("A distant room")).toBe(1);
});
