import { CallError } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import { FEED, openTheatre, type Theatre } from "./theatre.ts";

let theatre: Theatre;
let headers: Record<string, string>;

beforeEach(async () => {
  theatre = await openTheatre();
  headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
});

const post = (payload: object, url = "/v1/subscriptions", more = {}) =>
  theatre.app.inject({ method: "POST", url, payload, headers: { ...headers, ...more } });
const failure = {
  reason: "unreachable",
  sentence: "The site does not answer; try later.",
  retryAfterMs: null,
} as const;

test("a preview shows the discovered feed and stores nothing", async () => {
  const answer = await post({ url: "feeds.example" }, "/v1/subscriptions/preview");
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({
    url: FEED,
    title: "Rooms",
    items: [
      {
        id: "0123456789abcdef0123456789abcdef",
        title: "Two rooms, quiet street",
        link: "https://feeds.example/1",
        summary: null,
        author: null,
        publishedAt: "1970-01-01T00:00:01.000Z",
      },
    ],
  });
  expect(theatre.lookedUp).toEqual(["https://feeds.example/"]);
  expect(theatre.avatars.users.get("alice")?.subscriptions.size).toBe(0);
});

test("a preview of what is no feed says why", async () => {
  theatre.lookupAnswer = {
    found: false,
    failure: { ...failure, reason: "notAFeed", sentence: "This page names no feed." },
  };
  const answer = await post({ url: "feeds.example" }, "/v1/subscriptions/preview");
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toBe("This page names no feed.");
});

test("a forged token makes nobody fetch anything", async () => {
  headers = { authorization: "Bearer tds_YWxpY2U_forgedforged" };
  expect((await post({ url: FEED }, "/v1/subscriptions/preview")).statusCode).toBe(401);
  expect((await post({ url: FEED })).statusCode).toBe(401);
  expect(theatre.lookedUp).toEqual([]);
});

test("a subscription is made at the feed's canonical address, and the same feed again is the same subscription", async () => {
  const first = await post({ url: "https://feeds.example/", priority: "high", title: " My  rooms " });
  expect(first.statusCode).toBe(201);
  expect(first.json()).toMatchObject({ source: FEED, title: "My rooms", state: "active", priority: "high" });
  expect(first.json().createdAt).toBe("1970-01-01T00:00:01.000Z");
  const second = await post({ url: FEED });
  expect(second.statusCode).toBe(200);
  expect(second.json().id).toBe(first.json().id);
});

test("a feed that is subscribed already is found while its site is down; another is refused with the reason", async () => {
  await post({ url: FEED });
  theatre.lookupAnswer = { found: false, failure };
  expect((await post({ url: FEED })).statusCode).toBe(200);
  const other = await post({ url: "https://feeds.example/other.xml" });
  expect(other.statusCode).toBe(422);
  expect(other.json().detail).toBe(failure.sentence);
});

test.each([
  [1, "min"],
  [3, "default"],
  [5, "urgent"],
  ["low", "low"],
])("priority %s is answered as %s", async (priority, word) => {
  expect((await post({ url: FEED, priority })).json().priority).toBe(word);
});

test.each([
  ["a priority that there is not", { url: FEED, priority: 6 }, /priority/],
  ["a fraction as priority", { url: FEED, priority: 2.5 }, /priority/],
  ["a digit in quotes as priority", { url: FEED, priority: "3" }, /priority/],
  ["an empty title", { url: FEED, title: " ‮ " }, /visible/],
  ["no address", {}, /url/],
  ["a mailbox", { url: "mailto:alice@example.org" }, /http/],
  ["credentials in the address", { url: "https://a:b@feeds.example/" }, /password/],
])("%s is refused", async (_what, payload, sentence) => {
  const answer = await post(payload);
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toMatch(sentence);
  expect(theatre.avatars.users.get("alice")?.subscriptions.size).toBe(0);
});

test("a subscription is read, changed and ended", async () => {
  const { id } = (await post({ url: FEED })).json();
  const url = `/v1/subscriptions/${id}`;
  const list = await theatre.app.inject({ method: "GET", url: "/v1/subscriptions", headers });
  expect(list.json()).toMatchObject({ items: [{ id }], next: null });
  const read = await theatre.app.inject({ method: "GET", url, headers });
  expect(read.json()).toMatchObject({ id, polls: { nextAt: "1970-01-01T00:01:00.000Z", failures: 0 } });
  theatre.avatars.refusals.set("pollStanding", new CallError("cancel", "item-not-found", "nobody"));
  expect((await theatre.app.inject({ method: "GET", url, headers })).json()).toMatchObject({
    id,
    polls: null,
  });
  const changed = await theatre.app.inject({ method: "PATCH", url, headers, payload: { priority: 5 } });
  expect(changed.json()).toMatchObject({ id, priority: "urgent", title: "A feed" });
  const filter = { contains: "rooms" };
  const filtered = await theatre.app.inject({ method: "PATCH", url, headers, payload: { filter } });
  expect(filtered.json()).toMatchObject({ id, priority: "urgent", filter });
  const nothing = await theatre.app.inject({ method: "PATCH", url, headers, payload: {} });
  expect(nothing.statusCode).toBe(422);
  const json = { ...headers, "content-type": "application/json" };
  expect((await theatre.app.inject({ method: "DELETE", url, headers: json })).statusCode).toBe(204);
  expect((await theatre.app.inject({ method: "GET", url, headers })).statusCode).toBe(404);
});

test("the same idempotency key counts for the same path only", async () => {
  const one = (await post({ url: FEED })).json().id;
  theatre.lookupAnswer = { found: true, url: "https://feeds.example/other.xml", title: null, items: [] };
  const other = (await post({ url: "https://feeds.example/other.xml" })).json().id;
  for (const id of [one, other, one]) {
    const more = { ...headers, "idempotency-key": "k" };
    const answer = await theatre.app.inject({
      method: "DELETE",
      url: `/v1/subscriptions/${id}`,
      headers: more,
    });
    expect(answer.statusCode).toBe(204);
  }
  expect(theatre.avatars.users.get("alice")?.subscriptions.size).toBe(0);
});
