/** The rules on the page: ladders as steps, quiet hours on a week, filters tried on what has come. */
import { afterAll, afterEach, expect, test } from "vitest";
import { closeBrowser } from "./theatre/browser.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());
afterAll(closeBrowser);

test("a ladder is changed step by step, quiet hours are added for some days, and the document says so", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const rules = async () => wellDone(await alice.rest.get("/v1/rules"));
  await window.signsIn(alice, "/rules");
  await page.getByRole("button", { name: "Change Everything else" }).click();
  const ladder = page.locator(".ladder").last();
  await ladder.getByLabel("Minutes").fill("soon");
  await ladder.getByRole("button", { name: "Add" }).click();
  await page.getByText("Type a whole number of minutes").waitFor();
  await ladder.getByLabel("Minutes").fill("15");
  await ladder.getByRole("button", { name: "Add" }).click();
  await ladder.getByText("if it was not received in 15 min, go on").first().waitFor();
  const steps = [{ to: "im" }, { unless: "received", within: "PT15M" }, { to: "email" }];
  expect((await rules()).ladders.default).toEqual(steps);
  await ladder.getByRole("button", { name: "Remove e-mail" }).click();
  await expect.poll(async () => (await rules()).ladders.default).toEqual([{ to: "im" }]);

  for (const day of ["sat", "sun"]) await page.getByLabel(day).uncheck();
  await page.getByLabel("From", { exact: true }).fill("23:00");
  await page.getByLabel("To", { exact: true }).fill("06:30");
  await page.getByRole("button", { name: "Add", exact: true }).last().click();
  await page.getByText("23:00 to 06:30 mon, tue, wed, thu, fri").waitFor();
  expect((await rules()).quietHours).toEqual([
    { from: "23:00", to: "06:30", days: ["mon", "tue", "wed", "thu", "fri"] },
  ]);
  // Five evenings of an hour, and five mornings of seven, the last of them on Saturday.
  expect(await page.locator('[data-quiet="true"]').count()).toBe(5 * 1 + 5 * 7);
  await window.isPictured("rules-changed");
  await window.isAccessible();
  expect(window.troubles).toEqual([]);
});

test("a filter is tried on what has come before it is used, and what is wrong with a document is said", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const { id, url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  for (const title of ["Disk full", "Backup done", "Disk on fire"])
    await fetch(url, { method: "POST", body: title });
  await alice.hasHistoryOf(3);
  await window.signsIn(alice, "/rules");
  await page.getByLabel("Words, with commas between").fill("disk");
  await page.getByText("It would have let through 2 of the last 3").waitFor();
  await page.getByLabel("Tell me").selectOption("without");
  await page.getByText("It would have let through 1 of the last 3").waitFor();
  await page.getByRole("button", { name: "Use this filter" }).click();
  await page.getByText("db1 has a filter").waitFor();
  expect(wellDone(await alice.rest.get(`/v1/subscriptions/${id}`)).filter).toEqual({
    not: { any: [{ contains: "disk" }] },
  });
  await window.isPictured("rules-filter");
  await window.isAccessible();

  await page.getByLabel("Rules as JSON").fill('{"zone":"Mars/Olympus"}');
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("/zone:").waitFor();
  expect(await page.getByLabel("Rules as JSON").inputValue()).toContain("Olympus");
  expect(window.troubles).toEqual([]);
});

test("what is still held is sent elsewhere at another time or never, and the simulator looks at another hour", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const held = async () => wellDone(await alice.rest.get("/v1/rules")).held;
  const quietHours = [{ from: "22:00", to: "07:00" }];
  wellDone(await alice.rest.ask("PUT", "/v1/rules", { zone: "Europe/London", quietHours }));
  await window.signsIn(alice, "/rules");
  await page.getByText("It goes by e-mail in one message, each day at 08:00.").waitFor();
  await page.getByLabel("Each day at").fill("18:30");
  await page.getByRole("button", { name: "Send it so" }).click();
  await page.getByText("each day at 18:30").waitFor();
  expect(await held()).toMatchObject({ digest: { at: "18:30", to: "email" } });
  await page.getByRole("button", { name: "Never send it elsewhere" }).click();
  await page.getByText("It waits, and goes nowhere else.").waitFor();
  expect(await held()).toEqual({ digest: null });

  await page.getByLabel("At, today").fill("12:00");
  await page.getByRole("button", { name: "Try" }).click();
  await page.getByText("IM dispatch").waitFor();
  await page.getByLabel("At, today").fill("23:30");
  await page.getByRole("button", { name: "Try" }).click();
  await page.getByText("IM hold: quiet hours").waitFor();
  await window.isAccessible();
  await window.goesTo("Stream");
  await page.keyboard.press("?");
  await page.getByText("again in an hour").waitFor();
  await page.keyboard.press("?");
  await page.getByText("again in an hour").waitFor({ state: "detached" });
  expect(window.troubles).toEqual([]);
});

test("the foot says what would become of something that came now", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  await window.signsIn(alice);
  await page.getByRole("button", { name: "you: not there" }).click();
  await page.getByText(/Anything else would be held: .* is offline/).waitFor();
  await alice.comesOnline();
  await page.getByRole("button", { name: "you: here" }).click();
  await page.getByRole("button", { name: "you: here" }).click();
  await page.getByText("Anything else would go by IM now.").waitFor();
});

test("the stream shows what is asked for alone: by state, by source, and everything again", async () => {
  const [window, alice] = await Promise.all([theatre.window(), theatre.user("alice")]);
  const { page } = window;
  const [db1, db2] = await Promise.all(
    ["db1", "db2"].map(async (title) => wellDone(await alice.rest.post("/v1/publishers", { title })).url),
  );
  await fetch(db1, { method: "POST", body: "Disk full" });
  await fetch(db2, { method: "POST", body: "Backup done" });
  await alice.hasHistoryOf(2);
  await window.signsIn(alice);
  await page.getByText("Backup done").waitFor();
  await page.getByLabel("From").selectOption({ label: "db1" });
  await expect.poll(() => page.locator(".stream > li").count()).toBe(1);
  await page.getByText("Disk full").click();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByLabel("From").selectOption({ label: "All sources" });
  await page.getByLabel("Which").selectOption({ label: "Done" });
  await expect
    .poll(() => page.locator(".stream > li").allInnerTexts())
    .toMatchObject([expect.stringContaining("Disk full")]);
  await page.getByLabel("Which").selectOption({ label: "Everything" });
  await expect.poll(() => page.locator(".stream > li").count()).toBe(2);
});
