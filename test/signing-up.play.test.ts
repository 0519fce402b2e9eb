/** The door: who gets in by REST, and what is said to those who do not. */
import { randomBytes } from "node:crypto";
import { xml } from "@tidings/protocol";
import { afterEach, expect, test } from "vitest";
import { type Answer, Rest } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
const outside = new Rest(theatre.webUrl);
afterEach(() => theatre.clears());

/** A problem is a sentence for a person (RFC 9457), with its status in it. */
function expectProblem({ status, body }: Answer, wanted: number): void {
  expect([status, body?.status]).toEqual([wanted, wanted]);
  expect(body.detail).toMatch(/^.{10,}[.!]$/s);
}

test.each([
  ["has a dot", "alice.smith"],
  ["has upper case", "Alice"],
  ["is not ASCII", "алиса"],
  ["has look-alikes", "аlice"],
  ["is 100 characters long", "a".repeat(100)],
  ["is one letter", "a"],
  ["is empty", ""],
  ["is an address", "alice@example.org"],
  ["has a slash", "alice/../bob"],
  ["has a space", "alice smith"],
  ["has a null", "alice\u0000"],
  ["looks like a shard", "_17"],
  ["looks like a source", "rss.5f2b"],
  ["is reserved", "admin"],
])("a name that %s is refused with a sentence", async (_what, name) => {
  expectProblem(await outside.post("/v1/users", { name, password: "open sesame" }), 422);
});

test.each([
  ["too short", "short"],
  ["endless", "x".repeat(900)],
  ["no text for XML", "open\u0000sesame"],
])("a password that is %s is refused with a sentence", async (_what, password) => {
  const name = `alice-${randomBytes(4).toString("hex")}`;
  expectProblem(await outside.post("/v1/users", { name, password }), 422);
  expectProblem(await outside.post("/v1/sessions", { name, password }), 401);
});

test("a name that is taken stays with its owner", async () => {
  const alice = await theatre.user("alice");
  expectProblem(await outside.post("/v1/users", { name: alice.name, password: "another password" }), 409);
  expectProblem(await outside.post("/v1/sessions", { name: alice.name, password: "another password" }), 401);
  await alice.comesOnline();
});

test("a wrong password and an unknown name get the same answer", async () => {
  const alice = await theatre.user("alice");
  const wrong = await outside.post("/v1/sessions", { name: alice.name, password: "open says me" });
  const unknown = await outside.post("/v1/sessions", { name: "nobody-at-all", password: "open says me" });
  expectProblem(wrong, 401);
  expect(unknown).toEqual(wrong);
});

test.each([
  "not json",
  "{",
  "[]",
  "null",
  '"text"',
  '{"name":7}',
  '{"name":"alice"}',
  '{"name":"a","password":{}}',
])("the sign-up %s is refused with a sentence", async (body) => {
  const answer = await outside.ask("POST", "/v1/users", body);
  expect([400, 422]).toContain(answer.status);
  expectProblem(answer, answer.status);
});

test("fields that nobody knows are refused, and change nothing", async () => {
  const alice = await theatre.user("alice");
  const bodies = [
    '{"url":"http://127.0.0.1/","__proto__":{"admin":true}}',
    '{"url":"http://127.0.0.1/","role":"admin"}',
    '{"url":["a"]}',
    "{}",
  ];
  for (const body of bodies) {
    const answer = await alice.rest.ask("POST", "/v1/subscriptions", body);
    expect([400, 422]).toContain(answer.status);
    expectProblem(answer, answer.status);
  }
  expect((await alice.rest.get("/v1/subscriptions")).body.items).toEqual([]);
});

test("nothing of a user is shown without a session, nor with that of another", async () => {
  const [alice, bob, feed] = await Promise.all([
    theatre.user("alice"),
    theatre.user("bob"),
    theatre.feed("rooms"),
  ]);
  const id = await alice.subscribes(feed);
  for (const path of ["/v1/me", "/v1/subscriptions", "/v1/history", "/v1/destinations", "/v1/me/export"]) {
    expectProblem(await outside.get(path), 401);
    expectProblem(await new Rest(theatre.webUrl, "tds_YWxpY2U_made-up").get(path), 401);
  }
  expectProblem(await bob.rest.get(`/v1/subscriptions/${id}`), 404);
  expectProblem(await bob.rest.delete(`/v1/subscriptions/${id}`), 404);
  expect((await alice.rest.get(`/v1/subscriptions/${id}`)).status).toBe(200);
});

test("a session that was closed opens nothing any more", async () => {
  const alice = await theatre.user("alice");
  const { body } = await outside.post("/v1/sessions", { name: alice.name, password: alice.password });
  const second = new Rest(theatre.webUrl, body.token);
  expect((await second.delete("/v1/sessions/current")).status).toBe(204);
  expectProblem(await second.get("/v1/me"), 401);
  expect((await alice.rest.get("/v1/me")).status).toBe(200);
});

test("who signs up has the agent in the roster, without a question", async () => {
  const alice = await theatre.user("alice");
  await alice.comesOnline();
  await alice.client.sees(alice.agent);
  const roster = await alice.client.request(
    xml("iq", { type: "get" }, xml("query", { xmlns: "jabber:iq:roster" })),
  );
  const item = roster.getChild("query")?.getChild("item");
  expect(item?.attrs).toMatchObject({ jid: alice.agent, name: "Tidings", subscription: "both" });
  expect(alice.client.presences.filter(({ attrs }) => attrs.type === "subscribe")).toEqual([]);
});

test("who is erased is gone: the session, the account, and what was subscribed", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await alice.subscribes(feed);
  await alice.erasesEverything();
  expectProblem(await alice.rest.get("/v1/me"), 401);
  expectProblem(await outside.post("/v1/sessions", { name: alice.name, password: alice.password }), 401);
  const again = await outside.post("/v1/users", { name: alice.name, password: alice.password });
  expect(again.status).toBe(201);
  const { body } = await outside.post("/v1/sessions", { name: alice.name, password: alice.password });
  const reborn = new Rest(theatre.webUrl, body.token);
  expect((await reborn.get("/v1/subscriptions")).body.items).toEqual([]);
  expect((await reborn.delete("/v1/me")).status).toBe(204);
});

test("a token for a program does what it is for, is shown once, and is refused when it is removed", async () => {
  const alice = await theatre.user("alice");
  const made = await alice.rest.post("/v1/tokens", { title: "dashboard", scopes: ["read"] });
  expect(made).toMatchObject({
    status: 201,
    body: { title: "dashboard", scopes: ["read"], expiresAt: null },
  });
  const { id, token } = made.body;
  const program = new Rest(theatre.webUrl, token);
  expect(await program.get("/v1/me")).toMatchObject({ status: 200, body: { name: alice.name } });
  expectProblem(await program.post("/v1/inboxes", { title: "Flats" }), 403);
  expectProblem(await program.get("/v1/tokens"), 403);
  const listed = await alice.rest.get("/v1/tokens");
  expect(listed.body.items).toMatchObject([{ id, title: "dashboard" }]);
  expect(JSON.stringify(listed.body)).not.toContain(token.slice(-20));
  expect((await alice.rest.delete(`/v1/tokens/${id}`)).status).toBe(204);
  expectProblem(await program.get("/v1/me"), 401);
});

test("sessions are listed, and one elsewhere can be ended from here", async () => {
  const alice = await theatre.user("alice");
  const { body } = await outside.post("/v1/sessions", { name: alice.name, password: alice.password });
  const elsewhere = new Rest(theatre.webUrl, body.token);
  const { items } = (await alice.rest.get("/v1/sessions")).body;
  const other = items.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
  expect(items).toHaveLength(2);
  expect((await elsewhere.get("/v1/me")).status).toBe(200);
  expect((await alice.rest.delete(`/v1/sessions/${other.id}`)).status).toBe(204);
  expectProblem(await elsewhere.get("/v1/me"), 401);
});
