/** The page as a way to be told: first where somebody wants it so, and never the reason that something is missed. */
import { afterAll, afterEach, expect, test } from "vitest";
import { closeBrowser } from "./theatre/browser.ts";
import type { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());
afterAll(closeBrowser);

async function publisherOf(person: Person): Promise<(title: string) => Promise<unknown>> {
  const { url } = wellDone(await person.rest.post("/v1/publishers", { title: "db1" }));
  return (title) => fetch(url, { method: "POST", body: title });
}

/** How far the newest notification came, by destination. */
async function states(person: Person): Promise<Record<string, string>> {
  const [newest] = wellDone(await person.rest.get("/v1/history?limit=1")).items;
  const deliveries: { destination: string; state: string }[] = newest?.deliveries ?? [];
  return Object.fromEntries(deliveries.map(({ destination, state }) => [destination, state]));
}

test("told on the page first, somebody who has it before them is not told in chat; without it they are", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const publish = await publisherOf(alice);
  await alice.comesOnline();
  await window.signsIn(alice, "/ways");
  await page.getByRole("button", { name: "Tell me here first" }).click();
  await page.getByRole("button", { name: "Not first any more" }).waitFor();
  await window.isPictured("ways-page-first");
  await window.isAccessible();

  await window.goesTo("Stream");
  await publish("Disk full");
  await page.getByText("Disk full").waitFor();
  await expect.poll(() => states(alice)).toEqual({ im: "skipped", web: "received" });
  await page.getByText("Disk full").click();
  await page.getByText("shown on the page").waitFor();
  expect(alice.client.timesHeard("Disk full")).toBe(0);
  await page.getByRole("button", { name: "Done" }).click();
  await expect.poll(() => states(alice)).toMatchObject({ web: "acted" });

  await page.goto("about:blank");
  await publish("Disk on fire");
  await alice.hears("Disk on fire");
  await expect.poll(() => states(alice)).toEqual({ im: "received", web: "skipped" });
  expect(window.troubles).toEqual([]);
});

test("what the page shows is known to have been seen, whatever the rules say, and chat is told too", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const publish = await publisherOf(alice);
  await window.signsIn(alice);
  await publish("Disk full");
  await window.page.getByText("Disk full").waitFor();
  await expect.poll(() => states(alice)).toMatchObject({ im: "held", web: "received" });
  await alice.comesOnline();
  await alice.hears("Disk full");
});

test("a page that is opened anew is a way to be told again, without a word of the user's", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const publish = await publisherOf(alice);
  await window.signsIn(alice, "/ways");
  await window.page.getByRole("button", { name: "Tell me here first" }).click();
  await window.page.getByRole("button", { name: "Not first any more" }).waitFor();
  await window.goesTo("Stream");
  await window.page.reload();
  await window.page.getByText("Nothing has come yet").waitFor();
  await publish("Disk full");
  await window.page.getByText("Disk full").waitFor();
  await expect.poll(() => states(alice)).toEqual({ im: "skipped", web: "received" });
});
