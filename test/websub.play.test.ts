/** A feed whose hub sends what is new, on real servers. */
import { afterEach, expect, test } from "vitest";
import type { Feed } from "./theatre/feed.ts";
import type { Hub } from "./theatre/hub.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

const item = (title: string) => `<item><guid>${title}</guid><title>${title}</title></item>`;

/** The document of `feed`, which names `hub`. */
function documentOf(feed: Feed, hub: Hub, ...titles: readonly string[]): string {
  const links = `<atom:link rel="hub" href="${hub.url}"/><atom:link rel="self" href="${feed.url}"/>`;
  return `<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>rooms</title>${links}${titles.map(item).join("")}</channel></rss>`;
}

test("what the hub sends is at the client at once, once, and a poll that finds it too tells nothing", async () => {
  const [alice, hub, feed] = await Promise.all([theatre.user("alice"), theatre.hub(), theatre.feed("rooms")]);
  feed.serves(documentOf(feed, hub, "old"));
  await alice.subscribes(feed);
  await alice.comesOnline();
  const { callback } = await hub.isAskedFor(feed.url);
  expect(await hub.sends(feed.url, documentOf(feed, hub, "pushed"))).toBe(202);
  await alice.hears("pushed");

  expect(await hub.sends(feed.url, documentOf(feed, hub, "forged"), "another secret")).toBe(403);
  expect((await fetch(callback.slice(0, -1), { method: "POST", body: "x" })).status).toBe(404);
  const strange = { "hub.mode": "subscribe", "hub.topic": "https://other.example/feed" };
  expect(await hub.asks(callback, strange)).toBe(false);
  expect(await hub.asks(callback, { "hub.mode": "unsubscribe", "hub.topic": feed.url })).toBe(false);

  // What cannot be read is a sign to look: the poll finds it.
  feed.serves(documentOf(feed, hub, "polled", "pushed", "old"));
  expect(await hub.sends(feed.url, "")).toBe(202);
  await alice.hears("polled");
  const titles = (await alice.hasHistoryOf(2)).map(({ title }: { title: string }) => title);
  expect(titles).toEqual(["polled", "pushed"]);
});

test("a hub is told to stop when nobody wants to hear any more", async () => {
  const [alice, hub, feed] = await Promise.all([theatre.user("alice"), theatre.hub(), theatre.feed("rooms")]);
  feed.serves(documentOf(feed, hub, "old"));
  const id = await alice.subscribes(feed);
  await hub.isAskedFor(feed.url);
  wellDone(await alice.rest.delete(`/v1/subscriptions/${id}`));
  await expect.poll(() => hub.sends(feed.url, documentOf(feed, hub, "late"))).toBe(410);
});
