import {
  type AgentChannel,
  type AvatarEvent,
  addressesOf,
  type Channel,
  DEFAULT_RULES,
  type Deed,
  type DeliveryReport,
  feedSource,
  type HistoryItemWithTrace,
  itemId,
  type Priority,
  type ReportedState,
  type Rules,
  type Show,
} from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { CORE, type CoreRow, RULES } from "./rows.ts";
import { destinationAt } from "./rules/scene.ts";
import { UserAvatar } from "./user-avatar.ts";

const addresses = addressesOf("d");
const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const web = { fromDomain: addresses.web };

let alice: Rehearsal;
let session = "";
let order = 0;
let seq = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  [order, seq] = [0, 0];
  alice = new Rehearsal("alice", () => new UserAvatar(addresses, { epochOf: () => 1, connection: () => 1 }));
  await alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-begin" });
  await alice.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-finish" });
  await signsIn();
});
afterEach(() => void vi.useRealTimers());

async function signsIn(): Promise<void> {
  const opened = await alice.isCalled({ ...web, name: "openSession", args: { label: "" } });
  session = (opened as { session: string }).session;
}

function calls(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  return alice.isCalled({ ...web, name, args, authority: { session } });
}

async function subscribes(priority: Priority = "default"): Promise<void> {
  const answer = calls("subscribe", { url: FEED, title: null, priority });
  alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
  await answer;
}

/** Gives alice an address of another channel that is verified, as its own agent will. */
function has(channel: Channel, address: string): void {
  const core = JSON.parse(alice.rows.get("alice", CORE) ?? "") as CoreRow;
  const destinations = [...core.destinations, destinationAt(channel, address)];
  alice.isGiven(CORE, { ...core, destinations });
}

function rules(rest: Partial<Rules>): void {
  alice.isGiven(RULES, { version: 1, rules: { ...DEFAULT_RULES, ...rest } });
}

function comes(title: string, link: string | null = null): void {
  const item = { id: itemId(SOURCE, title), title, link, summary: null, author: null, publishedAt: null };
  const notification = { ...item, source: SOURCE, seq: ++seq, receivedAt: alice.nowAt };
  alice.hears(SOURCE, { type: "notified", notification } satisfies AvatarEvent);
}

function shows(show: Show): void {
  const rest = { address: "alice@d", resource: "phone", priority: 0, idleSinceAt: null, order: ++order };
  alice.getsReport({ kind: "presence", user: "alice", show, ...rest }, 1);
}

/** As the agent of the destination reports it, or that of another channel, `by`. */
function becomes(
  notification: string,
  state: ReportedState,
  rest: Partial<DeliveryReport> = {},
  by: string = rest.destination ?? "im",
): void {
  const about = { user: "alice", notification, destination: "im", attempt: 1, at: alice.nowAt } as const;
  const report = { kind: "delivery", ...about, state, condition: null, mayRetry: false, ...rest } as const;
  alice.getsReport(report, 1, by as AgentChannel);
}

async function item(title: string): Promise<HistoryItemWithTrace> {
  return (await calls("historyItem", { id: itemId(SOURCE, title) })) as HistoryItemWithTrace;
}

async function states(title: string): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await item(title)).deliveries.map(({ destination, state }) => [destination, state]),
  );
}

const dispatched = () =>
  alice.dispatches.map(({ destination, notification }) => `${destination} ${notification.title}`);

/** Rings every alarm up to `ms` from now; what was dispatched meanwhile. */
function passes(ms: number): string[] {
  const untilAt = alice.nowAt + ms;
  const said: string[] = [];
  for (let rings = 0; alice.alarmAt !== null && alice.alarmAt <= untilAt; rings++) {
    expect(rings).toBeLessThan(2_000);
    alice.isRung();
    said.push(...dispatched());
  }
  alice.nowAt = untilAt;
  return said;
}

test("urgent, away, no receipt: the phone after two minutes; the trace says each step and why", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  shows("away");
  comes("a");
  expect(dispatched()).toEqual(["im a"]);
  becomes(itemId(SOURCE, "a"), "handed");
  alice.fallsAsleep();
  expect(passes(2 * MINUTE_MS)).toEqual(["sms a"]);
  const trace = (await item("a")).trace.map(({ destination, state, because }) => [
    destination,
    state,
    because,
  ]);
  expect(trace).toEqual([
    [null, null, undefined],
    ["im", "dispatched", "reachable"],
    ["sms", "held", "unconfirmed"],
    ["im", "handed", undefined],
    ["sms", "dispatched", "nextRung"],
  ]);
});

test("urgent and received in time: the phone is left out", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  shows("away");
  comes("a");
  becomes(itemId(SOURCE, "a"), "received");
  expect(await states("a")).toEqual({ im: "received", sms: "skipped" });
  expect(passes(HOUR_MS)).toEqual([]);
});

test("urgent and nobody there: the phone at once, and nothing to IM when somebody comes", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  comes("a");
  expect(dispatched()).toEqual(["sms a"]);
  becomes(itemId(SOURCE, "a"), "handed", { destination: "sms" });
  shows("available");
  expect(dispatched()).toEqual([]);
  expect(await states("a")).toEqual({ im: "skipped", sms: "handed" });
});

test("a channel that refuses for good gives way to the next one, also after it was handed over", async () => {
  has("sms", "+15550100");
  has("email", "alice@example.org");
  await subscribes("urgent");
  comes("a");
  becomes(itemId(SOURCE, "a"), "handed", { destination: "sms" });
  becomes(itemId(SOURCE, "a"), "refused", { destination: "sms", condition: "item-not-found" });
  expect(dispatched()).toEqual([
    "email a",
    "im Nothing is sent to +15550100 any more: It was refused: item-not-found.",
  ]);
});

test("held overnight: one mail in the morning for all of it, and nothing to IM afterwards", async () => {
  has("email", "alice@example.org");
  await subscribes();
  for (const title of ["a", "b", "c"]) comes(title);
  expect(passes(8 * HOUR_MS - 1)).toEqual([]);
  expect(passes(1)).toEqual(["email 3 notifications: a · b · c"]);
  const digest = alice.dispatches[0]?.notification.id ?? "";
  becomes(digest, "handed", { destination: "email" });
  shows("available");
  expect(dispatched()).toEqual([]);
  for (const title of ["a", "b", "c"])
    expect(await states(title)).toEqual({ im: "skipped", email: "handed" });
});

test("what came to IM before the morning is not mailed", async () => {
  has("email", "alice@example.org");
  await subscribes();
  comes("a");
  comes("b");
  shows("available");
  expect(dispatched()).toEqual(["im a", "im b"]);
  becomes(itemId(SOURCE, "a"), "received");
  becomes(itemId(SOURCE, "b"), "received");
  expect(passes(48 * HOUR_MS)).toEqual([]);
});

test("quiet hours over midnight hold, their end brings one message, and what is urgent passes", async () => {
  rules({ zone: "Europe/Berlin", quietHours: [{ from: "22:00", to: "07:00" }] });
  await subscribes();
  shows("available");
  alice.nowAt = Temporal.Instant.from("2026-10-24T23:30:00+02:00").epochMilliseconds;
  await signsIn();
  comes("a");
  comes("b");
  expect((await item("a")).deliveries[0]?.reason).toBe("quiet hours until 2026-10-25T06:00:00.000Z");
  expect(passes(8.5 * HOUR_MS - 1)).toEqual([]);
  expect(passes(1)).toEqual(["im 2 notifications: a · b"]);
  comes("c");
  expect(dispatched()).toEqual(["im c"]);
});

test("a burst of fifty: the first five by themselves, the rest as one digest, each with its states in the history", async () => {
  rules({ burst: { most: 5, within: "PT10M" } });
  await subscribes();
  shows("available");
  const said: string[] = [];
  for (let n = 0; n < 50; n++) {
    comes(`n${n}`);
    said.push(...dispatched());
    if (n < 5) becomes(itemId(SOURCE, `n${n}`), "received");
  }
  expect(said).toHaveLength(5);
  const later = passes(10 * MINUTE_MS);
  expect(later).toHaveLength(1);
  expect(later[0]).toMatch(/^im 45 notifications: n5 · n6/);
  becomes(alice.dispatches[0]?.notification.id ?? "", "displayed");
  expect(await states("n49")).toEqual({ im: "displayed" });
});

test("each agent is told what goes by its channel, again when it lives anew, and is heard about that alone", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  comes("a");
  expect(alice.dispatchedBy).toEqual(["sms"]);
  becomes(itemId(SOURCE, "a"), "handed", { destination: "sms" }, "im");
  expect(await states("a")).toMatchObject({ sms: "dispatched" });
  alice.getsReport({ kind: "agentUp" }, 2, "im");
  expect([dispatched(), alice.asked]).toEqual([[], ["alice@d"]]);
  alice.getsReport({ kind: "agentUp" }, 2, "sms");
  expect([dispatched(), alice.asked]).toEqual([["sms a"], []]);
  alice.getsReport(
    {
      kind: "presence",
      user: "alice",
      address: "alice@d",
      resource: "x",
      show: "chat",
      priority: 0,
      idleSinceAt: null,
      order: 9,
    },
    2,
    "sms",
  );
  expect(((await calls("profile")) as { presence: unknown[] }).presence).toEqual([]);
});

test("a digest that is not answered for is repeated whole and with its id, also after a sleep, and one that is refused goes anew", async () => {
  rules({ subscriptions: { [SOURCE]: { digest: { every: "PT1H" } } } });
  await subscribes();
  shows("available");
  comes("a");
  comes("b");
  passes(HOUR_MS - 30_000);
  alice.isRung();
  const first = alice.dispatches[0];
  alice.fallsAsleep();
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(alice.dispatches).toEqual([first]);
  becomes(first?.notification.id ?? "", "refused", { mayRetry: true, condition: "remote-server-timeout" });
  alice.isRung();
  expect(dispatched()).toEqual(["im 2 notifications: a · b"]);
  expect(alice.dispatches[0]?.notification.id).not.toBe(first?.notification.id);
  becomes(first?.notification.id ?? "", "handed");
  expect(await states("a")).toEqual({ im: "dispatched" });
  becomes(first?.notification.id ?? "", "received");
  expect(await states("b")).toEqual({ im: "received" });
});

test("what has the link of another is in the history and goes nowhere", async () => {
  rules({ dedup: { by: "link", within: "P1D" } });
  await subscribes();
  shows("available");
  comes("a", "https://example.org/1");
  comes("b", "https://example.org/1");
  expect(dispatched()).toEqual([]);
  expect((await item("b")).deliveries[0]).toMatchObject({
    state: "skipped",
    reason: "the same as a, which came before",
  });
  becomes(itemId(SOURCE, "a"), "handed");
  alice.nowAt += 24 * HOUR_MS;
  comes("c", "https://example.org/1");
  expect(dispatched()).toEqual(["im c"]);
});

test("the day's SMS are counted, and what is over goes on to the next rung", async () => {
  rules({ sms: { mostPerDay: 2 } });
  has("sms", "+15550100");
  has("email", "alice@example.org");
  await subscribes("urgent");
  const said = ["a", "b", "c"].map((title) => {
    comes(title);
    return dispatched()[0];
  });
  expect(said).toEqual(["sms a", "sms b", "email c"]);
  for (const title of ["a", "b"]) becomes(itemId(SOURCE, title), "handed", { destination: "sms" });
  alice.nowAt += 24 * HOUR_MS;
  comes("d");
  expect(dispatched()).toEqual(["sms d"]);
});

test("what waits for its time does not hold up what may go, and order is kept where it was in line", async () => {
  await subscribes();
  shows("available");
  comes("a");
  becomes(itemId(SOURCE, "a"), "acted", { did: { id: "m1", deed: { name: "snooze", forMs: HOUR_MS } } });
  comes("b");
  expect(dispatched()).toEqual(["im b"]);
  becomes(itemId(SOURCE, "b"), "refused", { mayRetry: true, condition: "remote-server-timeout" });
  comes("c");
  expect(dispatched()).toEqual([]);
  alice.isRung();
  expect(dispatched().slice(-2)).toEqual(["im b", "im c"]);
});

test("the history is kept as long as the rules say, and from what somebody still waits for on", async () => {
  rules({ retention: "P2D" });
  await subscribes();
  shows("available");
  const keys = () =>
    alice.rows.list("alice", { from: "h/", to: "h/~" }).map(({ value }) => JSON.parse(value).title);
  const come = (count: number, from: number) => {
    for (let n = from; n < from + count; n++) {
      comes(`n${n}`);
      becomes(itemId(SOURCE, `n${n}`), "received");
    }
  };
  come(60, 0);
  shows("offline");
  comes("held");
  shows("available");
  alice.nowAt += 47 * HOUR_MS;
  come(66, 60);
  expect(keys()).toHaveLength(127);
  alice.nowAt += HOUR_MS;
  shows("offline");
  comes("late");
  expect(keys()[0]).toBe("held");
  await expect(item("n0")).rejects.toMatchObject({ condition: "item-not-found" });
  expect(alice.rows.list("alice", { from: "d/", to: "d/~" })).toHaveLength(66);
});

test("of thousands that are held some go in each turn, in order, and what comes meanwhile waits behind them", async () => {
  await subscribes();
  for (let n = 0; n < 1_200; n++) comes(`n${n}`);
  shows("available");
  expect(dispatched()).toHaveLength(500);
  expect(alice.wantsAnother).toBe(true);
  comes("late");
  expect(dispatched()).toEqual([]);
  const said: string[] = [];
  do {
    alice.goesOn();
    said.push(...dispatched());
  } while (alice.wantsAnother);
  expect(said.slice(0, 2)).toEqual(["im n500", "im n501"]);
  expect(said).toHaveLength(500);
  for (let n = 0; n < 201; n++) {
    becomes(itemId(SOURCE, `n${n}`), "handed");
    said.push(...dispatched());
  }
  expect(said).toHaveLength(701);
  expect(said.at(-1)).toBe("im late");
});

test("what a host that died had not decided anew is decided by the next", async () => {
  await subscribes();
  for (let n = 0; n < 600; n++) comes(`n${n}`);
  shows("available");
  alice.fallsAsleep();
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(dispatched().slice(500)).toHaveLength(100);
});

test("what a host that died had not decided anew goes before what comes to the next", async () => {
  await subscribes();
  for (let n = 0; n < 600; n++) comes(`n${n}`);
  shows("available");
  alice.fallsAsleep();
  comes("late");
  expect(dispatched()).toEqual([...Array.from({ length: 600 }, (_, n) => `im n${n}`), "im late"]);
});

const did = (id: string, deed: Deed) => ({ destination: "sms", did: { id, deed } });

test("what was read on the page is read, and nobody is called for want of a receipt; an acknowledgement is still waited for", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  shows("away");
  comes("a");
  becomes(itemId(SOURCE, "a"), "handed");
  await calls("markRead", { id: itemId(SOURCE, "a") });
  expect((await item("a")).state).toBe("read");
  expect(passes(3 * MINUTE_MS)).toEqual([]);
  expect(await states("a")).toEqual({ im: "handed", sms: "skipped" });

  const ladders = {
    ...DEFAULT_RULES.ladders,
    urgent: [{ to: "im" as const }, { unless: "acked" as const, within: "PT10M" }, { to: "sms" as const }],
  };
  rules({ ladders });
  comes("b");
  becomes(itemId(SOURCE, "b"), "handed");
  await calls("markRead", { id: itemId(SOURCE, "b") });
  expect(new Set(passes(11 * MINUTE_MS))).toEqual(new Set(["sms b"]));
  await calls("acknowledge", { id: itemId(SOURCE, "b") });
  await calls("markRead", { id: itemId(SOURCE, "b") });
  expect((await item("b")).state).toBe("acked");
});

test("an acknowledgement by SMS leaves out what is held elsewhere, once, and is what the history says", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  comes("a");
  const id = itemId(SOURCE, "a");
  becomes(id, "handed", { destination: "sms" });
  await calls("snooze", { id, forMs: HOUR_MS });
  becomes(id, "acted", did("m1", { name: "ack" }));
  expect(await item("a")).toMatchObject({ state: "acked" });
  await calls("redeliver", { id });
  becomes(id, "acted", did("m1", { name: "ack" }));
  expect((await item("a")).state).not.toBe("acked");
});

test("what is snoozed is held everywhere, and comes again after that as if it were new, also after a sleep", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  comes("a");
  const id = itemId(SOURCE, "a");
  becomes(id, "handed", { destination: "sms" });
  becomes(id, "acted", did("m1", { name: "snooze", forMs: HOUR_MS }));
  expect(await item("a")).toMatchObject({ state: "snoozed" });
  expect(await states("a")).toMatchObject({ sms: "held" });
  shows("available");
  expect(dispatched()).toEqual([]);
  alice.fallsAsleep();
  expect(passes(HOUR_MS)).toEqual(["im a"]);
  expect(await item("a")).toMatchObject({ state: "dispatched" });
  becomes(id, "received");
  expect(await states("a")).toEqual({ im: "received", sms: "skipped" });
});

test("acknowledged on the page, what is held goes nowhere; asked for again it does, and what is not there is said", async () => {
  await subscribes();
  comes("a");
  const id = itemId(SOURCE, "a");
  expect(await calls("acknowledge", { id })).toMatchObject({
    state: "acked",
    deliveries: [{ state: "skipped" }],
  });
  shows("available");
  expect(dispatched()).toEqual([]);
  await calls("redeliver", { id });
  expect(dispatched()).toEqual(["im a"]);
  becomes(id, "received");
  await calls("redeliver", { id });
  expect(alice.dispatches).toMatchObject([{ attempt: 2 }]);
  await expect(calls("acknowledge", { id: "nothing" })).rejects.toMatchObject({
    condition: "item-not-found",
  });
});

test("the trace of what is had again and again is bounded", async () => {
  await subscribes();
  comes("a");
  for (let n = 0; n < 100; n++) await calls("redeliver", { id: itemId(SOURCE, "a") });
  expect((await item("a")).trace.length).toBeLessThanOrEqual(61);
});

test("STOP ends what goes to a number until START, and more gives the text behind the title", async () => {
  has("sms", "+15550100");
  await subscribes("urgent");
  comes("a");
  const id = itemId(SOURCE, "a");
  becomes(id, "acted", did("m1", { name: "stop" }));
  comes("b");
  expect(dispatched()).toEqual([]);
  becomes(id, "acted", did("m2", { name: "start" }));
  becomes(id, "acted", did("m1", { name: "stop" }));
  comes("c");
  expect(dispatched()).toEqual(["sms c"]);
  becomes(id, "acted", did("m3", { name: "more" }));
  expect(alice.dispatches).toMatchObject([{ address: "+15550100", notification: { title: "a" } }]);
});
