import {
  type AgentChannel,
  addressesOf,
  type Deed,
  type DeliveryReport,
  feedSource,
  type HistoryItemWithTrace,
  itemId,
  type ReportedState,
} from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { CORE, type CoreRow } from "./rows.ts";
import { destinationAt } from "./rules/scene.ts";
import { UserAvatar } from "./user-avatar.ts";

const addresses = addressesOf("d");
const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const HOUR_MS = 3_600_000;
const vouched = { fromDomain: addresses.im, authority: { jid: "alice@d" } };

let alice: Rehearsal;
let count = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  count = 0;
  alice = new Rehearsal("alice", () => new UserAvatar(addresses, { epochOf: () => 1, connection: () => 1 }));
  const web = { fromDomain: addresses.web };
  await alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-begin" });
  await alice.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-finish" });
  const core = JSON.parse(alice.rows.get("alice", CORE) ?? "") as CoreRow;
  alice.isGiven(CORE, { ...core, destinations: [...core.destinations, destinationAt("sms", "+15550100")] });
  const answer = calls("subscribe", { url: FEED, title: null, priority: "urgent" });
  alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
  await answer;
});
afterEach(() => void vi.useRealTimers());

/** As the agent for chat calls for alice's own account. */
function calls(name: string, args: Record<string, unknown> = {}, op: string | null = null): Promise<unknown> {
  return alice.isCalled({ ...vouched, name, args, op });
}

const idOf = (title: string) => itemId(SOURCE, title);

function comes(title: string): void {
  const item = { id: idOf(title), title, link: null, summary: null, author: null, publishedAt: null };
  const notification = { ...item, source: SOURCE, seq: ++count, receivedAt: alice.nowAt };
  alice.hears(SOURCE, { type: "notified", notification });
}

function isThere(show: "available" | "offline" = "available"): void {
  const rest = { address: "alice@d", resource: "phone", priority: 0, idleSinceAt: null, order: ++count };
  alice.getsReport({ kind: "presence", user: "alice", show, ...rest }, 1);
}

function becomes(notification: string, state: ReportedState, rest: Partial<DeliveryReport> = {}): void {
  const about = { user: "alice", notification, destination: "im", attempt: 1, at: alice.nowAt } as const;
  const report = { kind: "delivery", ...about, state, condition: null, mayRetry: false, ...rest } as const;
  alice.getsReport(report, 1, report.destination as AgentChannel);
}

/** Rings one alarm after the other until something is dispatched. */
function rings(): void {
  do alice.isRung();
  while (alice.dispatches.length === 0);
}

const does = (deed: Deed, destination = "im") => ({
  destination,
  did: { id: `deed ${++count}`, deed },
});

async function item(title: string): Promise<HistoryItemWithTrace> {
  return (await calls("historyItem", { id: idOf(title) })) as HistoryItemWithTrace;
}

const stateAt = async (title: string, destination: string) =>
  (await item(title)).deliveries.find((one) => one.destination === destination)?.state;

test("what the user put off comes again as another message, of which earlier receipts say nothing", async () => {
  isThere();
  comes("a");
  expect(alice.dispatches).toMatchObject([{ attempt: 1 }]);
  expect(alice.dispatches[0]).not.toHaveProperty("wantedFrom");
  becomes(idOf("a"), "handed");
  becomes(idOf("a"), "acted", does({ name: "snooze", forMs: HOUR_MS }));
  becomes(idOf("a"), "displayed");
  expect(await stateAt("a", "im")).toBe("held");
  rings();
  expect(alice.dispatches).toMatchObject([{ destination: "im", attempt: 2, wantedFrom: 2 }]);
  becomes(idOf("a"), "displayed");
  expect(await stateAt("a", "im")).toBe("dispatched");
  becomes(idOf("a"), "received", { attempt: 2 });
  expect(await stateAt("a", "im")).toBe("received");
});

test("a try that failed for a moment is the same message, also when the user has asked for it again", async () => {
  await calls("changeSubscription", { id: SOURCE, priority: "default" });
  isThere();
  comes("a");
  becomes(idOf("a"), "refused", { condition: "recipient-unavailable", mayRetry: true });
  rings();
  expect(alice.dispatches).toMatchObject([{ attempt: 2 }]);
  expect(alice.dispatches[0]).not.toHaveProperty("wantedFrom");
  await calls("redeliver", { id: idOf("a") });
  becomes(idOf("a"), "refused", { condition: "recipient-unavailable", mayRetry: true, attempt: 3 });
  rings();
  expect(alice.dispatches).toMatchObject([{ attempt: 4, wantedFrom: 3 }]);
});

test("an answer from chat acknowledges what the message held, once, and nothing for anybody else", async () => {
  isThere();
  comes("a");
  comes("b");
  for (const title of ["a", "b"]) becomes(idOf(title), "handed");
  const answer = { message: idOf("a"), deed: { name: "ack" } };
  const said = { count: 1, title: "a", sourceTitle: "Rooms", zone: "UTC" };
  expect(await calls("answerMessage", answer, "operation-1")).toEqual(said);
  expect(await calls("answerMessage", answer, "operation-1")).toEqual(said);
  expect([(await item("a")).state, (await item("b")).state]).toEqual(["acked", "handed"]);
  expect(await stateAt("a", "im")).toBe("acted");
  await expect(calls("answerMessage", { ...answer, message: "of bob" })).rejects.toMatchObject({
    condition: "item-not-found",
  });
  const mallory = { fromDomain: addresses.im, authority: { jid: "mallory@elsewhere" } };
  const theirs = alice.isCalled({ ...mallory, name: "answerMessage", args: answer });
  await expect(theirs).rejects.toMatchObject({ condition: "not-authorized" });
});

test("the last message is the one that went last, also when it came before others and after a sleep", async () => {
  await expect(calls("messageSent", { message: null })).rejects.toMatchObject({
    condition: "item-not-found",
  });
  isThere();
  comes("a");
  becomes(idOf("a"), "acted", does({ name: "snooze", forMs: HOUR_MS }));
  comes("b");
  expect(await calls("messageSent", { message: null })).toMatchObject({ message: idOf("b") });
  becomes(idOf("b"), "received");
  rings();
  alice.fallsAsleep();
  expect(await calls("messageSent", { message: null })).toMatchObject({
    message: idOf("a"),
    count: 1,
    items: [{ title: "a" }],
  });
  expect(await calls("messageSent", { message: `${idOf("b")}.2` })).toMatchObject({ message: idOf("b") });
});

test("a digest is answered as a whole", async () => {
  await calls("putRules", { rules: { quietHours: [{ from: "00:00", to: "08:00" }] }, ifVersion: null });
  await calls("changeSubscription", { id: SOURCE, priority: "default" });
  isThere();
  comes("a");
  comes("b");
  rings();
  expect(alice.dispatches).toMatchObject([{ members: [{ title: "a" }, { title: "b" }] }]);
  const digest = alice.dispatches[0]?.notification.id;
  expect(await calls("messageSent", { message: null })).toMatchObject({ message: digest, count: 2 });
  await calls("answerMessage", { message: null, deed: { name: "ack" } });
  expect([(await item("a")).state, (await item("b")).state]).toEqual(["acked", "acked"]);
});

test("who has enough of a source for now mutes it for a week, and not for less than before", async () => {
  isThere();
  comes("a");
  const mute = { message: null, deed: { name: "mute" } };
  expect(await calls("answerMessage", mute)).toMatchObject({ sourceTitle: "Rooms" });
  comes("b");
  expect(alice.dispatches).toEqual([]);
  alice.nowAt += 7 * 24 * HOUR_MS + 1;
  comes("c");
  expect(alice.dispatches).toMatchObject([{ notification: { title: "c" } }]);
  await calls("putRules", { rules: { subscriptions: { [SOURCE]: { mute: true } } }, ifVersion: null });
  await calls("answerMessage", mute);
  expect(await calls("rules")).toMatchObject({ rules: { subscriptions: { [SOURCE]: { mute: true } } } });
});

test("nobody acts from an address that is not the user's", async () => {
  isThere();
  comes("a");
  becomes(idOf("a"), "acted", does({ name: "ack" }, "removed"));
  expect((await item("a")).state).toBe("dispatched");
});

const corrections = () => alice.dispatches.filter(({ corrects }) => corrects !== undefined);

/** "a" is urgent, was told in chat without a receipt, and has gone on to the phone. */
function goesOnToThePhone(): void {
  isThere();
  comes("a");
  becomes(idOf("a"), "handed");
  rings();
  expect(alice.dispatches).toMatchObject([{ destination: "sms" }]);
  becomes(idOf("a"), "handed", { destination: "sms" });
}

test("acknowledged by SMS, the message in chat is corrected: again until the agent has, and once", async () => {
  goesOnToThePhone();
  becomes(idOf("a"), "acted", does({ name: "ack" }, "sms"));
  const [first] = corrections();
  expect(first).toMatchObject({
    corrects: idOf("a"),
    destination: "im",
    notification: { title: "✓ acknowledged by SMS: a" },
  });
  rings();
  expect(corrections()).toEqual([first]);
  alice.fallsAsleep();
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(corrections()).toEqual([first]);
  becomes(first?.notification.id ?? "", "handed");
  becomes(idOf("a"), "displayed");
  alice.fallsAsleep();
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(corrections()).toEqual([]);
  expect((await item("a")).trace.map(({ what }) => what)).toContain(
    "the message there is corrected: acknowledged by SMS",
  );
});

test("a message that may not have been sent yet is corrected when the user's server has it, and not before", async () => {
  isThere();
  comes("a");
  await calls("acknowledge", { id: idOf("a") });
  expect(corrections()).toEqual([]);
  becomes(idOf("a"), "handed");
  expect(corrections()).toMatchObject([
    { notification: { title: "✓ acknowledged on your Tidings page: a" } },
  ]);
});

test("what the user has acted on in chat is not corrected there, nor what never got there", async () => {
  goesOnToThePhone();
  becomes(idOf("a"), "acted", does({ name: "ack" }));
  expect(corrections()).toEqual([]);
  isThere("offline");
  comes("b");
  becomes(idOf("b"), "handed", { destination: "sms" });
  becomes(idOf("b"), "acted", does({ name: "ack" }, "sms"));
  expect(corrections()).toEqual([]);
});

test("a correction that is refused for now is tried later as another attempt; one refused for good is given up and said", async () => {
  goesOnToThePhone();
  becomes(idOf("a"), "acted", does({ name: "ack" }, "sms"));
  const id = corrections()[0]?.notification.id ?? "";
  becomes(id, "refused", { condition: "recipient-unavailable", mayRetry: true });
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(corrections()).toEqual([]);
  rings();
  expect(corrections()).toMatchObject([{ attempt: 2 }]);
  becomes(id, "refused", { condition: "item-not-found", mayRetry: true });
  expect(corrections()).toEqual([]);
  becomes(id, "refused", { condition: "item-not-found", attempt: 2 });
  alice.getsReport({ kind: "agentUp" }, 1);
  expect(corrections()).toEqual([]);
  expect((await item("a")).trace.at(-1)?.what).toBe("the message there could not be corrected");
});

test("a correction is given up after a day", async () => {
  goesOnToThePhone();
  becomes(idOf("a"), "acted", does({ name: "ack" }, "sms"));
  const untilAt = alice.nowAt + 25 * HOUR_MS;
  while (alice.alarmAt !== null && alice.alarmAt < untilAt) alice.isRung();
  expect((await item("a")).trace.at(-1)?.what).toBe("the message there could not be corrected");
  expect(alice.alarmAt).toBeNull();
});

test("what is asked for again after that is told anew, and corrected anew", async () => {
  goesOnToThePhone();
  becomes(idOf("a"), "acted", does({ name: "ack" }, "sms"));
  becomes(corrections()[0]?.notification.id ?? "", "handed");
  await calls("redeliver", { id: idOf("a") });
  expect(alice.dispatches).toMatchObject([{ destination: "im", wantedFrom: 2 }]);
  becomes(idOf("a"), "handed", { attempt: 2 });
  await calls("acknowledge", { id: idOf("a") });
  expect(corrections()).toMatchObject([{ corrects: `${idOf("a")}.2` }]);
});
