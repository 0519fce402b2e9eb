/** What an open page is told, on real servers: at once, and without a gap over restarts of what is behind it. */
import { afterAll, afterEach, expect, inject, test } from "vitest";
import { closeBrowser } from "./theatre/browser.ts";
import { EventStream } from "./theatre/event-stream.ts";
import { Rest, wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const EVENTS = `${inject("webUrl")}/v1/events`;

const theatre = openTheatre();
const pages: EventStream[] = [];
afterEach(async () => {
  for (const page of pages.splice(0)) page.close();
  await theatre.clears();
});

afterAll(closeBrowser);

function pageOf(token: string | null): EventStream {
  const page = new EventStream(EVENTS, token);
  pages.push(page);
  return page;
}

const isCalled = (title: string) => (item: { title: string }) => item.title === title;

test("a page is told of what is new, of what becomes of it and of who is there, at once", async () => {
  const alice = await theatre.user("alice");
  const { url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  const page = pageOf(alice.rest.token);
  await page.hears("presence", (presence) => presence.length === 0);
  await fetch(url, { method: "POST", body: "Disk full" });
  await page.hears("notification", isCalled("Disk full"));
  await alice.comesOnline();
  await page.hears("presence", (presence) => presence.length === 1);
  await page.hears("delivery", (item) => item.title === "Disk full" && item.state === "received");

  const { id } = (await alice.hasHistoryOf(1))[0];
  wellDone(await alice.rest.post(`/v1/history/${id}/ack`, {}));
  await page.hears("delivery", (item) => item.id === id && item.state === "acked");

  const beganMs = performance.now();
  await fetch(url, { method: "POST", body: "Disk on fire" });
  const { atMs } = await page.hears("notification", isCalled("Disk on fire"));
  // A few milliseconds; anything near the ten seconds after which it would be asked anyway means that nobody was nudged.
  expect(atMs - beganMs).toBeLessThan(2_000);
});

test("a page misses nothing while web-api or the avatar's host is killed, and is told each new thing once", async () => {
  const alice = await theatre.user("alice");
  const { url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  const page = pageOf(alice.rest.token);
  await page.hears("presence");
  const publishes = async (title: string) => {
    await expect
      .poll(async () => (await fetch(url, { method: "POST", body: title }).catch(() => null))?.status, {
        timeout: 20_000,
      })
      .toBe(202);
  };
  await publishes("one");
  await page.hears("notification", isCalled("one"));
  await theatre.kills("web-api");
  await publishes("two");
  await page.hears("notification", isCalled("two"));
  expect(page.connections).toBeGreaterThan(1);

  await Promise.all(["avatar-host-h1", "avatar-host-h2"].map((host) => theatre.kills(host)));
  await publishes("three");
  await page.hears("notification", isCalled("three"), { withinMs: 30_000 });
  const titles = page.events.flatMap(({ name, data }) => (name === "notification" ? [data.title] : []));
  expect(titles).toEqual(["one", "two", "three"]);
});

test("a browser's page goes on by itself, without a gap, while web-api and the avatar's hosts are killed", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const { url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  await window.signsIn(alice);
  await page.getByText("Nothing has come yet").waitFor();
  await page.evaluate("window.isTheSame = true");
  const titles: string[] = [];
  for (const victims of [["web-api"], ["avatar-host-h1", "avatar-host-h2"]]) {
    await Promise.all(victims.map((victim) => theatre.kills(victim)));
    const title = `after ${victims.join(" and ")}`;
    await expect
      .poll(async () => (await fetch(url, { method: "POST", body: title }).catch(() => null))?.status, {
        timeout: 20_000,
      })
      .toBe(202);
    titles.unshift(title);
    await page.getByText(title).waitFor();
  }
  expect(await page.locator(".stream .title").allInnerTexts()).toEqual(titles);
  expect(await page.evaluate("window.isTheSame")).toBe(true);
});

test("who has no session, or one that has ended, hears nothing", async () => {
  const alice = await theatre.user("alice");
  expect((await fetch(EVENTS)).status).toBe(401);
  const { token } = wellDone(await alice.rest.post("/v1/sessions", alice.account));
  const page = pageOf(token);
  await page.hears("presence");
  wellDone(await new Rest(inject("webUrl"), token).delete("/v1/sessions/current"));
  await alice.comesOnline();
  await expect.poll(() => page.refusals).toBeGreaterThan(0);
  expect(page.events.filter(({ name }) => name === "presence")).toHaveLength(1);
});
