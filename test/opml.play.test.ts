/** Feeds from one reader to another on real servers: what alice has, bob has after one request, and is told of. */
import { afterEach, expect, test } from "vitest";
import type { Person } from "./theatre/person.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

const opml = (person: Person, body?: string) =>
  person.rest.raw(body === undefined ? "GET" : "POST", "/v1/opml", body, "text/x-opml");

test("feeds go out as OPML and in again, each with its result, and are followed", async () => {
  const [alice, bob, rooms, news] = await Promise.all([
    theatre.user("alice"),
    theatre.user("bob"),
    theatre.feed("rooms"),
    theatre.feed("news"),
  ]);
  await Promise.all([
    alice.subscribes(rooms),
    alice.subscribes(news),
    bob.subscribes(rooms),
    bob.comesOnline(),
  ]);
  const document = await opml(alice);
  const { items } = JSON.parse(await opml(bob, document));
  expect(items.map(({ url, outcome }: Record<string, string>) => [url, outcome]).sort()).toEqual(
    [
      [rooms.url, "known"],
      [news.url, "subscribed"],
    ].sort(),
  );
  const { id } = items.find(({ outcome }: { outcome: string }) => outcome === "subscribed");
  await bob.hasSubscription(id, { state: "active" });
  news.publishes("A headline");
  await bob.hears("A headline");
});
