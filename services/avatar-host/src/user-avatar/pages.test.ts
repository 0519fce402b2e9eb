/** The open page as a channel: when it counts, what it proves, and what becomes of what it never showed. */
import {
  type CallResult,
  DEFAULT_RULES,
  feedSource,
  type HistoryItemWithTrace,
  itemId,
  type Ladder,
  type PageShow,
  type Show,
} from "@tidings/protocol";
import type { Static } from "typebox";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CORE, type CoreRow, RULES } from "./rows.ts";
import { destinationAt } from "./rules/scene.ts";
import { openUserStage, type UserStage } from "./user-stage.ts";

const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const PAGE = "page-0001";
const MINUTE_MS = 60_000;

let stage: UserStage;
let seq = 0;
let order = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  [seq, order] = [0, 0];
  stage = await openUserStage();
  const answer = stage.calls("subscribe", { url: FEED, title: null, priority: null });
  stage.alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
  await answer;
});
afterEach(() => void vi.useRealTimers());

const idOf = (title: string) => itemId(SOURCE, title);

function comes(title: string): void {
  const item = { id: idOf(title), title, link: null, summary: null, author: null, publishedAt: null };
  const notification = { ...item, source: SOURCE, seq: ++seq, receivedAt: stage.alice.nowAt };
  stage.alice.hears(SOURCE, { type: "notified", notification });
}

function shows(show: Show): void {
  const rest = { address: "alice@d", resource: "phone", priority: 0, idleSinceAt: null, order: ++order };
  stage.alice.getsReport({ kind: "presence", user: "alice", show, ...rest }, 1);
}

const says = (show: PageShow | null, shown: string[] = []) =>
  stage.calls("pageSays", { page: PAGE, show, idleSinceAt: null, shown: shown.map(idOf) });

const asks = async (since: { number: string; at: number } | null) =>
  (await stage.calls("changes", { since, watchMs: 30_000, page: PAGE })) as CallResult<"changes">;

const item = async (title: string) =>
  (await stage.calls("historyItem", { id: idOf(title) })) as HistoryItemWithTrace;

async function states(title: string): Promise<Record<string, string>> {
  const { deliveries } = await item(title);
  return Object.fromEntries(deliveries.map(({ destination, state }) => [destination, state]));
}

function ladder(...steps: Static<typeof Ladder>): void {
  const ladders = { ...DEFAULT_RULES.ladders, default: steps, urgent: steps };
  stage.alice.isGiven(RULES, { version: 1, rules: { ...DEFAULT_RULES, ladders } });
}

test("on the ladder, an open page is told, and says how far it came; chat is left out", async () => {
  ladder({ to: "web" }, { unless: "received", within: "PT1M" }, { to: "im" });
  shows("available");
  await says("available");
  const { stand } = await asks(null);
  comes("a");
  expect(stage.alice.dispatches).toEqual([]);
  expect(await states("a")).toEqual({ web: "dispatched", im: "held" });
  const changed = await asks(stand);
  expect(changed.fresh).toMatchObject([{ title: "a" }]);
  await asks(changed.stand);
  expect(await states("a")).toMatchObject({ web: "handed" });
  await says("available", ["a"]);
  expect(await states("a")).toEqual({ web: "received", im: "skipped" });
  expect((await item("a")).trace.map(({ what }) => what)).toEqual(
    expect.arrayContaining(["the page is available", "sent to an open page", "shown on the page"]),
  );
  await stage.calls("acknowledge", { id: idOf("a") });
  expect(await states("a")).toMatchObject({ web: "acted" });
});

test("what the page did not show in time goes on to chat", async () => {
  ladder({ to: "web" }, { unless: "received", within: "PT1M" }, { to: "im" });
  shows("available");
  await says("away");
  comes("a");
  stage.alice.nowAt += MINUTE_MS;
  stage.alice.isRung();
  expect(stage.alice.dispatches).toMatchObject([{ destination: "im" }]);
});

test("a page that closes gives back what nobody has seen, and one that comes takes what waits", async () => {
  ladder({ to: "web" });
  comes("a");
  expect((await item("a")).deliveries).toMatchObject([
    { destination: "im", state: "skipped" },
    { destination: "web", state: "held", reason: "no page is open that can show it" },
  ]);
  await says("available");
  expect(await states("a")).toMatchObject({ web: "dispatched" });
  await says(null);
  expect(await states("a")).toMatchObject({ web: "held" });
  await says("available", ["a"]);
  expect(await states("a")).toMatchObject({ web: "received" });
  await says(null);
  expect(await states("a")).toMatchObject({ web: "received" });
});

test("a page that went without a word is believed in for a minute, and then what it was to show is held", async () => {
  ladder({ to: "web" });
  await says("available");
  comes("a");
  stage.alice.nowAt += MINUTE_MS;
  stage.alice.isRung();
  expect(await states("a")).toMatchObject({ web: "held" });
});

test("an avatar that does not know a page asks how it stands: after a wake, and once", async () => {
  expect(await asks(null)).toMatchObject({ asksPage: true });
  await says("available");
  expect(await asks(null)).not.toHaveProperty("asksPage");
  stage.alice.fallsAsleep();
  expect(await asks(null)).toMatchObject({ asksPage: true });
});

test("with the rules as they are, what the page has shown proves that the user has it, and chat is told nevertheless", async () => {
  const core = JSON.parse(stage.alice.rows.get("alice", CORE) ?? "") as CoreRow;
  const destinations = [...core.destinations, destinationAt("sms", "+15550100")];
  stage.alice.isGiven(CORE, { ...core, destinations });
  await stage.calls("changeSubscription", { id: SOURCE, priority: "urgent" });
  shows("available");
  await says("available");
  comes("a");
  expect(await states("a")).toEqual({ im: "dispatched", sms: "held" });
  await says("available", ["a"]);
  expect(await states("a")).toEqual({ im: "dispatched", sms: "skipped", web: "received" });

  shows("offline");
  await stage.calls("changeSubscription", { id: SOURCE, priority: "default" });
  comes("b");
  await says("available", ["b"]);
  expect(await states("b")).toMatchObject({ im: "held", web: "received" });
  shows("available");
  expect(stage.alice.dispatches.map(({ notification }) => notification.title)).toContain("b");
});

test("the simulator takes an imagined page, and decides as for a real one", async () => {
  ladder({ to: "web" }, { to: "im" });
  const notification = { title: "Two rooms" };
  const imagine = (presence: object[]) =>
    stage.calls("simulate", { historyId: null, notification, presence, at: null });
  expect(await imagine([{ address: "web", show: "available" }])).toMatchObject({
    decisions: [
      { destination: "im", action: "skip" },
      { destination: "web", action: "dispatch" },
    ],
  });
  expect(await imagine([{ show: "available" }])).toMatchObject({
    decisions: [
      { destination: "im", action: "dispatch" },
      { destination: "web", action: "skip" },
    ],
  });
});
