/** The page in a real browser, with a real chat client beside it. */
import { afterAll, afterEach, expect, test } from "vitest";
import { closeBrowser, PHONE } from "./theatre/browser.ts";
import type { Person } from "./theatre/person.ts";
import { Rest, wellDone } from "./theatre/rest.ts";
import { openTheatre, uniqueName } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());
afterAll(closeBrowser);

/** Each page, and what is on it when all of it was read. */
const PLACES = [
  ["Stream", "Disk full"],
  ["Sources", "curl -d"],
  ["Ways", "Send a test"],
  ["Rules", "Everything else"],
  ["Account", "Make an address"],
] as const;
const PASSWORD = "open sesame on the page";

async function publisherOf(person: Person): Promise<string> {
  return wellDone(await person.rest.post("/v1/publishers", { title: "db1" })).url;
}

const publish = (url: string, body: string | object) =>
  fetch(url, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": typeof body === "string" ? "text/plain" : "application/json" },
  });

test("somebody signs up, subscribes, and is told on the page and in their chat client", async () => {
  const [window, feed] = await Promise.all([theatre.window(), theatre.feed("rooms")]);
  const { page } = window;
  feed.publishes("An old room");
  await page.goto(theatre.webUrl);
  await page.getByRole("button", { name: "Sign up" }).click();
  const name = uniqueName("zoe");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await window.isPictured("sign-up");
  await window.isAccessible();
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByText("Nothing has come yet").waitFor();
  await window.isPictured("first-use");
  await window.isAccessible();

  await page.getByLabel("Address of a page or a feed").fill(feed.url);
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByText("An old room").waitFor();
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByRole("button", { name: "Subscribe" }).waitFor({ state: "detached" });

  const zoe = await theatre.whoSignedUp(name, PASSWORD);
  await zoe.comesOnline();
  await page.getByText("you: here").waitFor();
  feed.publishes("Two rooms, quiet street");
  await zoe.hears("Two rooms, quiet street");
  const row = page.getByRole("listitem").filter({ hasText: "Two rooms, quiet street" });
  await row.getByText(/IM received/).waitFor();

  await row.getByRole("button").first().click();
  await page
    .getByRole("list", { name: "What became of it" })
    .getByText("received: the client confirmed it")
    .waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/stream\/[0-9a-f]{32}$/);
  await window.isPictured("stream");
  await window.isAccessible();
  await page.getByRole("button", { name: "Done" }).click();
  await row.getByText(/→ done/).waitFor();
  await page.reload();
  await row.getByText(/→ done/).waitFor();
  expect(window.troubles).toEqual([]);
});

test("what is new is on the page at once, also after the network was away, without a reload", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const url = await publisherOf(alice);
  await window.signsIn(alice);
  expect((await publish(url, "Disk full")).status).toBe(202);
  await window.page.getByText("Disk full").waitFor();
  await window.page.context().setOffline(true);
  expect((await publish(url, "Disk on fire")).status).toBe(202);
  await window.page.context().setOffline(false);
  await window.page.getByText("Disk on fire").waitFor();
});

test("what is told while the history is read stays, though the history's answer is older", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const url = await publisherOf(alice);
  const { page } = window;
  await publish(url, "Disk warm");
  await alice.hasHistoryOf(1);
  const [isAsked, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let asked = 0;
  await page.route("**/v1/history?*", async (route) => {
    const response = await route.fetch();
    // The first is the page's, the second the stream's, which may have begun later.
    if (++asked === 2) isAsked.resolve();
    await letGo.promise;
    await route.fulfill({ response });
  });
  await window.signsIn(alice);
  await isAsked.promise;
  await publish(url, "Disk full");
  await page.getByText("Disk full").waitFor();
  letGo.resolve();
  // The history is there, and has taken nothing away.
  await page.getByText("Disk warm").waitFor();
  expect(await page.getByText("Disk full").isVisible()).toBe(true);
});

test("each page says what it is for, on a desk and on a phone, and axe finds nothing serious", async () => {
  const alice = await theatre.user("alice");
  await publish(await publisherOf(alice), "Disk full");
  await alice.hasHistoryOf(1);
  wellDone(await alice.rest.post("/v1/inboxes", { title: "Flats" }));
  for (const [size, viewport] of [
    ["desk", undefined],
    ["phone", PHONE],
  ] as const) {
    const window = await theatre.window(viewport);
    await window.signsIn(alice);
    for (const [place, shown] of PLACES) {
      await window.page.getByRole("navigation").getByRole("link", { name: place }).click();
      await window.page.getByRole("heading", { level: 1, name: place }).waitFor();
      await window.page.getByText(shown).first().waitFor();
      await window.isPictured(`${size}-${place.toLowerCase()}`);
      await window.isAccessible();
      const isWide = await window.page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth",
      );
      expect([size, place, isWide]).toEqual([size, place, false]);
    }
    expect(window.troubles).toEqual([]);
  }
});

test("markup, scripts, turned directions and endless words stay text, and nothing breaks", async () => {
  const [window, alice] = await Promise.all([theatre.window(PHONE), theatre.user("alice")]);
  const url = await publisherOf(alice);
  const hostile = [
    { title: "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>" },
    { title: "\u202Egnp.exe \u{1F6A8}\u{1F6A8}" },
    { title: "W".repeat(450), message: "w".repeat(1_900) },
    { title: "a link", link: "https://example.org/<script>" },
  ];
  for (const message of hostile) expect((await publish(url, message)).status).toBe(202);
  await alice.hasHistoryOf(hostile.length);
  await window.signsIn(alice);
  const rows = window.page.locator(".stream > li");
  await expect.poll(() => rows.count()).toBe(hostile.length);
  for (let at = 0; at < hostile.length; at++) await rows.nth(at).getByRole("button").first().click();
  await window.page.getByText("document.title='taken'").first().waitFor();
  await window.isPictured("hostile");
  expect(await window.page.title()).toBe("Tidings");
  expect(await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  expect(window.troubles).toEqual([]);
});

test("what was typed stays when the session ends in the middle of a form", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  await window.signsIn(alice);
  await page.getByRole("navigation").getByRole("link", { name: "Sources" }).click();
  const field = page.getByLabel("Name").first();
  await field.fill("Flats in the Mission");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Make an address" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.getByLabel("Password").fill(alice.password);
  await page.getByLabel("Name").fill(alice.name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect.poll(() => page.getByLabel("Name").first().inputValue()).toBe("Flats in the Mission");
  await page.getByRole("button", { name: "Make an address" }).dblclick();
  await page.getByText(/@in\./).nth(1).waitFor();
  const { items } = wellDone(await alice.rest.get("/v1/inboxes"));
  expect(items.map(({ title }: { title: string }) => title)).toEqual(["Mail", "Flats in the Mission"]);
});

test("a token is made on the page, shown once, and removed", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  await window.signsIn(alice, "/account");
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText("Say what it is for").waitFor();
  await page.getByLabel("What it is for").fill("dashboard");
  await page.getByRole("button", { name: "Make a token" }).click();
  const token = await page.locator("code", { hasText: "tdt_" }).textContent();
  expect(await new Rest(theatre.webUrl, token).get("/v1/me")).toMatchObject({ status: 200 });
  await page.getByText("dashboard").waitFor();
  await window.isPictured("account-token");
  await window.isAccessible();
  await page.reload();
  await page.getByText("dashboard").waitFor();
  expect(await page.locator("code", { hasText: "tdt_" }).count()).toBe(0);
  await page.getByRole("button", { name: "Remove" }).click();
  await expect.poll(() => new Rest(theatre.webUrl, token).get("/v1/me")).toMatchObject({ status: 401 });
  expect(window.troubles).toEqual([]);
});
