/** What Tidings is for: somebody is away, a room is listed, they come home. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ChatClient } from "./theatre/chat-client.ts";
import type { Feed } from "./theatre/feed.ts";
import type { Person } from "./theatre/person.ts";
import { openTheatre } from "./theatre/theatre.ts";

const FIXTURE = join(import.meta.dirname, "fixtures/rooms.rss");
const REAL = join(import.meta.dirname, "../../shared/corpus/feeds/craigslist.rss");

const theatre = openTheatre();
afterEach(() => theatre.clears());

test("alice is away, a room is listed, alice comes home", async () => {
  await playsWith(await readFile(FIXTURE, "utf8"));
});

test("alice is away, a room is listed on a real site, alice comes home", async (context) => {
  if (!existsSync(REAL)) context.skip(`there is no ${REAL}`);
  await playsWith(await readFile(REAL, "utf8"));
});

/** Alice has an account here and one on a server elsewhere; she is told wherever she is first. */
async function playsWith(document: string): Promise<void> {
  const [alice, abroad, feed] = await Promise.all([
    theatre.user("alice"),
    theatre.abroad("alice"),
    theatre.feed("rooms"),
  ]);
  const elsewhere = abroad.client("alice");
  const { rooms, listing } = readListing(document);
  feed.serves(listing(2));
  await alice.subscribes(feed);
  await elsewhere.comesOnline();
  await alice.links(elsewhere);
  await elsewhere.goesOffline();
  await alice.isNotSeenAt(elsewhere.jid);

  await isHeldUntil(alice, feed, listing(1), rooms[1], elsewhere);
  expect(alice.client.heard).toEqual([]);

  await elsewhere.goesOffline();
  await alice.isNotSeenAt(elsewhere.jid);
  await isHeldUntil(alice, feed, listing(0), rooms[0], alice.client);
  expect(elsewhere.timesHeard(rooms[0])).toBe(0);
  expect((await alice.history()).map(({ link }) => link)).toEqual([rooms[0], rooms[1]]);
}

/** A room is listed while Alice is away; it is held, and delivered when `client` comes online. */
async function isHeldUntil(
  alice: Person,
  feed: Feed,
  listing: string,
  room: string,
  client: ChatClient,
): Promise<void> {
  feed.serves(listing);
  const held = await alice.hasInHistory(room, "held");
  await client.comesOnline();
  const message = await client.hears(room);
  expect(message).toMatchObject({ type: "chat", from: alice.agent, id: held.id, isDelivery: true });
  expect(message.body.split("\n")[0]).toBe(held.title);
  expect(message.body.split("\n").at(-1)).toBe(room);
  const heldSinceAt = Date.parse(message.delayStamp ?? "");
  expect(Math.abs(heldSinceAt - Date.parse(held.receivedAt))).toBeLessThan(2_000);

  const received = await alice.hasInHistory(room, "received");
  const states = received.deliveries.map(({ state }: { state: string }) => state);
  expect(states.toSorted()).toEqual(["received", "skipped"]);
  expect(client.timesHeard(room)).toBe(1);
}

/** The links of the rooms, and the document as it was before its `newest` rooms were listed. */
function readListing(document: string) {
  const [head = "", ...items] = document.split(/(?=<item[ >])/);
  const linkOf = (item: string) => /<link>(.*?)<\/link>/.exec(item)?.[1] ?? "";
  const rooms = [linkOf(items[0] ?? ""), linkOf(items[1] ?? "")] as const;
  return { rooms, listing: (newest: number) => [head, ...items.slice(newest)].join("") };
}
