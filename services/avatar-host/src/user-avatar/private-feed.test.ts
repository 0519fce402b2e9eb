import { type AvatarEvent, addressesOf, feedSource, type HistoryItem, itemId } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import type { Rehearsal } from "../rehearsal.ts";
import { openUserStage, type UserStage } from "./user-stage.ts";

const addresses = addressesOf("d");
const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const web = { fromDomain: addresses.web };

let alice: Rehearsal;
let calls: UserStage["calls"];

beforeEach(async () => {
  ({ alice, calls } = await openUserStage());
  const subscribed = calls("subscribe", { url: FEED, title: null, priority: null });
  alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
  await subscribed;
});

function comes(title: string, seq: number): void {
  const notification = {
    id: itemId(SOURCE, title),
    title,
    link: null,
    summary: null,
    author: null,
    publishedAt: null,
    source: SOURCE,
    seq,
    receivedAt: alice.nowAt,
  };
  alice.hears(SOURCE, { type: "notified", notification } satisfies AvatarEvent);
}

/** What web-api is answered that has no session, but this secret. */
const feed = async (secret: string, of = "all") => {
  const answer = await alice.isCalled({ ...web, name: "feed", args: { secret, of } });
  return (answer as { items: HistoryItem[] }).items.map(({ title }) => title);
};
const rotated = async () => ((await calls("rotateFeed")) as { secret: string }).secret;

test("whoever has the secret reads the newest fifty, and nobody else anything", async () => {
  expect(await calls("feedLink")).toEqual({ secret: null, createdAt: null });
  await expect(feed("null")).rejects.toThrow("There is no such feed");
  const secret = await rotated();
  for (let seq = 1; seq <= 60; seq++) comes(`#${seq}`, seq);
  expect(await feed(secret)).toEqual(Array.from({ length: 50 }, (_, at) => `#${60 - at}`));
  await expect(feed(secret.slice(1))).rejects.toThrow("There is no such feed");
});

test("a rotated or ended feed is read by its old secret no more; the user finds the one that counts", async () => {
  const first = await rotated();
  const second = await rotated();
  expect(second).not.toBe(first);
  await expect(feed(first)).rejects.toThrow("There is no such feed");
  expect(await calls("feedLink")).toMatchObject({ secret: second });
  await calls("endFeed");
  await expect(feed(second)).rejects.toThrow("There is no such feed");
});

test("the feed can be of what is held, and of what the user has not acknowledged", async () => {
  const secret = await rotated();
  comes("held", 1);
  comes("seen to", 2);
  await calls("acknowledge", { id: itemId(SOURCE, "seen to") });
  expect(await feed(secret, "all")).toEqual(["seen to", "held"]);
  expect(await feed(secret, "unacknowledged")).toEqual(["held"]);
  expect(await feed(secret, "held")).toEqual(["held"]);
});

test("the secret is in no export", async () => {
  const secret = await rotated();
  expect(JSON.stringify(await calls("exportAll", { cursor: null }))).not.toContain(secret);
});
