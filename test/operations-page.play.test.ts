/** The page for operators: who has the token sees what runs, and does something about it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, inject, test } from "vitest";
import { closeBrowser, PHONE } from "./theatre/browser.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());
afterAll(closeBrowser);

const token = () => readFileSync(join(inject("home"), "secrets", "operator"), "utf8").trim();

test("with the token of the installation its hosts, shards and queues are shown; without it nothing is", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  await window.signsIn(alice, "/account");
  expect(await page.getByRole("navigation").getByRole("link", { name: "Operations" }).count()).toBe(0);
  await page.getByRole("link", { name: "Operations" }).click();
  await page.getByLabel("The operators' token").fill("a guess");
  await page.getByRole("button", { name: "Show operations" }).click();
  await page.getByText("This is not the operators' token").waitFor();
  await page.getByLabel("The operators' token").fill(token());
  await page.getByRole("button", { name: "Show operations" }).click();

  await page.getByText(/2 hosts, 64 of 64 shards served/).waitFor();
  for (const host of ["h1", "h2"]) await page.getByRole("rowheader", { name: host, exact: true }).waitFor();
  expect(
    await page
      .getByRole("listitem")
      .filter({ hasText: /^shard \d+: h[12]$/ })
      .count(),
  ).toBe(64);
  await page.locator(".u-legend").nth(1).waitFor();
  await page.getByLabel("At least so many hosts").fill("17");
  await page.getByRole("button", { name: "Scale" }).click();
  await page.getByText("There can be 1 to 16 hosts, not 17.").waitFor();
  await window.isPictured("operations");
  await window.isAccessible();
  await page.setViewportSize(PHONE);
  await window.isPictured("phone-operations");
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);

  await page.getByRole("button", { name: "Forget the token" }).click();
  await page.getByLabel("The operators' token").waitFor();
  expect(window.troubles).toEqual([]);
});
