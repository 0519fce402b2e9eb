import { Publication, parseAs, pushSource, QUEUES, shardOf } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { eventually } from "@tidings/testkit";
import { beforeEach, expect, test } from "vitest";
import { openTheatre, type Theatre } from "./theatre.ts";

const TOKEN = "tdp_abcdefghijklmnopqrstuvwxyz012345";
const SOURCE = pushSource(TOKEN);
const QUEUE = QUEUES.shard("s1", shardOf(SOURCE));

let theatre: Theatre;
let taken: Publication[];

beforeEach(async () => {
  theatre = await openTheatre({ publishesPerMinute: 5 });
  theatre.avatars.publishers.set(SOURCE, "open");
  taken = [];
  await theatre.broker.connect().consume(QUEUE, 100, (delivery) => {
    taken.push(parseAs(Publication, delivery.body, "publication"));
    delivery.ack();
  });
});

const post = (payload: string, headers: Record<string, string> = {}, token = TOKEN) =>
  theatre.app.inject({ method: "POST", url: `/p/${token}`, payload, headers });

test("what is posted is on the queue of its source's shard before it is answered", async () => {
  const answer = await post("disk full", { "content-type": "application/x-www-form-urlencoded" });
  expect(answer.statusCode).toBe(202);
  await eventually(() =>
    expect(taken).toMatchObject([{ source: SOURCE, items: [{ item: { title: "disk full" }, dueAt: null }] }]),
  );
  expect(answer.json()).toEqual({ items: [{ id: taken[0]?.items[0]?.item.id }] });
});

test("a repeat with the same Idempotency-Key has the same id", async () => {
  const ids = [];
  for (let time = 0; time < 2; time++)
    ids.push((await post("disk full", { "idempotency-key": "k" })).json().items[0].id);
  expect(ids[0]).toBe(ids[1]);
});

test("a token that there is not, or that was ended, is told so, and nothing is on the queue", async () => {
  expect((await post("a", {}, "tdp_there_is_no_such_token")).statusCode).toBe(404);
  theatre.avatars.publishers.set(SOURCE, "ended");
  const ended = await post("a");
  expect(ended.statusCode).toBe(410);
  expect(ended.json().detail).toContain("ended");
  expect(taken).toEqual([]);
});

test("whoever tries tokens is slowed down", async () => {
  const statuses = [];
  for (let at = 0; at < 31; at++) statuses.push((await post("a", {}, `tdp_wrong_${at}`)).statusCode);
  expect(statuses.slice(0, 30)).toEqual(Array(30).fill(404));
  expect(statuses[30]).toBe(429);
});

test("each message counts against the bound of a minute, and the answer says when to come again", async () => {
  const many = JSON.stringify(Array.from({ length: 4 }, (_, at) => ({ title: `${at}` })));
  expect((await post(many, { "content-type": "application/json" })).statusCode).toBe(202);
  expect((await post("a")).statusCode).toBe(202);
  const refused = await post("b");
  expect(refused.statusCode).toBe(429);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
});

test("a full queue is a 503 that says so, and nothing is taken", async () => {
  const full = new MemoryBroker({ maxLength: 0 });
  const other = await openTheatre({ queue: full.connect() });
  other.avatars.publishers.set(SOURCE, "open");
  const answer = await other.app.inject({ method: "POST", url: `/p/${TOKEN}`, payload: "a" });
  expect(answer.statusCode).toBe(503);
  expect(answer.json().detail).toContain("again in a minute");
});

test("a body that is too large, or empty, is refused with a sentence", async () => {
  expect((await post("x".repeat(262_145))).statusCode).toBe(413);
  expect((await post("")).json().detail).toContain("nothing to tell");
});

test("a publisher is made, listed with where to post, and removed", async () => {
  const headers = { authorization: `Bearer ${await theatre.signIn("alice")}`, host: "tidings.example" };
  const ask = (method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
    theatre.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  const made = await ask("POST", "/v1/publishers", { title: " db1 " });
  expect(made.statusCode).toBe(201);
  expect(made.json()).toMatchObject({ title: "db1", url: "http://tidings.example/p/tdp_1" });
  expect((await ask("GET", "/v1/publishers")).json().items).toEqual([made.json()]);
  expect((await ask("POST", "/v1/publishers", { title: "\u202e" })).statusCode).toBe(422);
  expect((await ask("DELETE", "/v1/publishers/push.1")).statusCode).toBe(204);
  expect((await ask("DELETE", "/v1/publishers/push.1")).statusCode).toBe(404);
});

test("an answer to a notification goes to its avatar, cleaned", async () => {
  const headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
  const id = "0123456789abcdef0123456789abcdef";
  theatre.avatars.users.get("alice")?.history.push({
    id,
    source: SOURCE,
    sourceTitle: "db1",
    title: "Down",
    link: null,
    summary: null,
    author: null,
    publishedAt: null,
    receivedAt: 1_000,
    state: "handed",
    deliveries: [],
  });
  const payload = { option: "say", text: " at \u0007six " };
  const answer = await theatre.app.inject({
    method: "POST",
    url: `/v1/history/${id}/reply`,
    headers,
    payload,
  });
  expect(answer.statusCode).toBe(200);
  expect(theatre.avatars.asked.at(-1)).toMatchObject({
    name: "reply",
    args: { id, option: "say", text: "at six" },
  });
});

test("an inbox is made, listed with its address, and removed", async () => {
  const headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
  const ask = (method: "GET" | "POST" | "DELETE", url: string, payload?: object) =>
    theatre.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  const made = await ask("POST", "/v1/inboxes", { title: "Flats" });
  expect(made.statusCode).toBe(201);
  expect(made.json()).toMatchObject({ title: "Flats", address: `${"a".repeat(20)}@in.tidings.test` });
  expect((await ask("GET", "/v1/inboxes")).json().items).toEqual([made.json()]);
  expect((await ask("DELETE", "/v1/inboxes/mail.1")).statusCode).toBe(204);
  expect((await ask("DELETE", "/v1/inboxes/mail.1")).statusCode).toBe(404);
});
