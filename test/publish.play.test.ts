/** Programs that publish, on real servers: a line of curl is at the client, and each thing once. */
import { afterEach, expect, test } from "vitest";
import type { Posted } from "./theatre/hook.ts";
import type { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

/** A publisher of `person`: where to post, as curl does. */
async function publisherOf(person: Person, title: string) {
  const { id, url } = wellDone(await person.rest.post("/v1/publishers", { title }));
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });
  return { id, post };
}

test("what a program posts is at the client, with its priority and its place in the history", async () => {
  const alice = await theatre.user("alice");
  const [{ id, post }] = await Promise.all([publisherOf(alice, "db1"), alice.comesOnline()]);
  const answer = await post("disk full\n/var has 1 % left", { priority: "high", tags: "disk" });
  expect(answer.status).toBe(202);
  expect((await alice.hears("disk full")).body).toBe("disk full\ndb1");
  const item = await alice.hasInHistory("disk full", "received");
  expect(item).toMatchObject({ source: id, summary: "/var has 1 % left" });
  expect({ items: [{ id: item.id }] }).toEqual(await answer.json());
});

test("a repeat is told once, many come in their order, and what is for later comes later", async () => {
  const alice = await theatre.user("alice");
  const [{ post }] = await Promise.all([publisherOf(alice, "cron"), alice.comesOnline()]);
  for (let time = 0; time < 3; time++) await post("backup is done", { "idempotency-key": "backup-1" });
  const many = Array.from({ length: 20 }, (_, at) => ({ title: `step ${at}`, dedupKey: `step-${at}` }));
  const json = { "content-type": "application/json" };
  await post(JSON.stringify([{ title: "at last", delay: "2s" }, ...many]), json);
  await post(JSON.stringify(many), json);
  await alice.hears("at last");
  const history = await alice.hasHistoryOf(22);
  const titles = history.map(({ title }) => title).reverse();
  expect(titles).toEqual(["backup is done", ...many.map(({ title }) => title), "at last"]);
});

test("a publisher that is removed takes nothing more, and what it had taken is there", async () => {
  const alice = await theatre.user("alice");
  const { id, post } = await publisherOf(alice, "old");
  expect((await post("the last word")).status).toBe(202);
  wellDone(await alice.rest.delete(`/v1/publishers/${id}`));
  await alice.hasSubscription(id, { state: "ended" });
  await alice.hasInHistory("the last word", "held");
  // For a few seconds the address is believed to be open: what is taken then is told, too.
  await expect.poll(async () => (await post("too late")).status, { timeout: 15_000 }).toBe(410);
  expect(
    (await fetch(`${theatre.webUrl}/p/tdp_nobody_has_this_one`, { method: "POST", body: "a" })).status,
  ).toBe(404);
});

test("an answer, from the page or from chat, is at the publisher once, also when it was away first", async () => {
  const [alice, hook] = await Promise.all([theatre.user("alice"), theatre.hook()]);
  const [{ post }] = await Promise.all([publisherOf(alice, "db1"), alice.comesOnline()]);
  const asks = (title: string) =>
    post(JSON.stringify({ title, options: ["Restart", { label: "Say", input: true }], callback: hook.url }), {
      "content-type": "application/json",
    });
  hook.statuses = [503, 204];
  await asks("db1 is down");
  expect((await alice.hears("db1 is down")).body).toContain("Reply with 1 Restart, 2 Say + your words");
  const { id, options } = await alice.hasInHistory("db1 is down", "received");
  expect(options[0].id).toBe("restart");
  wellDone(await alice.rest.post(`/v1/history/${id}/reply`, { option: "restart" }));
  const isAnswerTo = (notification: string) => (posted: Posted) =>
    posted.body.data.notification === notification && posted.status === 204;
  const { body } = await hook.hears(isAnswerTo(id));
  expect(body).toMatchObject({ type: "answer", data: { option: "restart", text: null, user: alice.name } });
  expect(hook.posted.map(({ status }) => status)).toEqual([503, 204]);
  expect(new Set(hook.posted.map((one) => one.id)).size).toBe(1);
  await expect
    .poll(async () => wellDone(await alice.rest.get(`/v1/history/${id}`)).trace.at(-1).what)
    .toBe("the source has your answer");

  await asks("db2 is slow");
  await alice.hears("db2 is slow");
  expect(await alice.asks("2 on my way")).toContain("on its way: db2 is slow");
  const other = await alice.hasInHistory("db2 is slow", "acked");
  expect((await hook.hears(isAnswerTo(other.id))).body.data).toMatchObject({
    option: "say",
    text: "on my way",
  });
  expect(await alice.asks("reply 1")).toContain("answered this already");
});

test("a publisher that is shared is heard by whoever has the link, until it is taken back", async () => {
  const [alice, bob, carol] = await Promise.all([
    theatre.user("alice"),
    theatre.user("bob"),
    theatre.user("carol"),
  ]);
  const { id, url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  const { share } = wellDone(await alice.rest.post(`/v1/publishers/${id}/share`, {}));
  expect(await (await fetch(share)).text()).toContain("subscribe");
  expect(wellDone(await bob.rest.post("/v1/subscriptions", { url: share }))).toMatchObject({
    id,
    title: "db1",
    state: "active",
  });
  await bob.comesOnline();
  await fetch(url, { method: "POST", body: "Disk full" });
  await bob.hears("Disk full");
  const wrong = `${share.slice(0, -1)}-`;
  const refused = await carol.rest.post("/v1/subscriptions", { url: wrong });
  expect(refused.body).toMatchObject({ state: "ended", problem: expect.stringContaining("not valid") });
  wellDone(await bob.rest.post("/v1/subscriptions", { url: wrong }));
  wellDone(await alice.rest.delete(`/v1/publishers/${id}/share`));
  await bob.hasSubscription(id, { state: "ended" });
  await fetch(url, { method: "POST", body: "Disk on fire" });
  await alice.hasHistoryOf(2);
  expect((await bob.hasHistoryOf(1))[0].title).toBe("Disk full");
});
