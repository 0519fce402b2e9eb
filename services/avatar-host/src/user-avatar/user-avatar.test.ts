import {
  type AvatarEvent,
  addressesOf,
  CallError,
  type CallName,
  type DeliveryReport,
  feedSource,
  type HistoryItemWithTrace,
  itemId,
  type ReportedState,
  type Show,
} from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { UserAvatar } from "./user-avatar.ts";

const addresses = addressesOf("d");
const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const OWN = "alice@d";
const web = { fromDomain: addresses.web };

let agentEpoch = 1;
let connection = 1;
let alice: Rehearsal;
let session = "";
let order = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  [agentEpoch, connection, order] = [1, 1, 0];
  alice = new Rehearsal(
    "alice",
    () => new UserAvatar(addresses, { epochOf: () => agentEpoch, connection: () => connection }),
  );
  await alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-begin" });
  await alice.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-finish" });
  const opened = (await alice.isCalled({ ...web, name: "openSession", args: { label: "" } })) as {
    session: string;
  };
  session = opened.session;
});
afterEach(() => void vi.useRealTimers());

/** A call of alice herself, by web-api. */
function calls(
  name: CallName,
  args: Record<string, unknown> = {},
  op: string | null = null,
): Promise<unknown> {
  return alice.isCalled({ ...web, name, args, op, authority: { session } });
}

async function subscribes(): Promise<void> {
  const answer = calls("subscribe", { url: FEED, title: null, priority: null });
  alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
  await answer;
}

function notified(title: string, seq = 1): AvatarEvent {
  const item = {
    id: itemId(SOURCE, title),
    title,
    link: null,
    summary: null,
    author: null,
    publishedAt: null,
  };
  return { type: "notified", notification: { ...item, source: SOURCE, seq, receivedAt: alice.nowAt } };
}

function shows(show: Show, resource = "phone", address = OWN): void {
  const rest = { priority: 0, idleSinceAt: null, order: ++order };
  alice.getsReport({ kind: "presence", user: "alice", address, resource, show, ...rest }, agentEpoch);
}

function becomes(title: string, state: ReportedState, rest: Partial<DeliveryReport> = {}): void {
  const report: DeliveryReport = {
    kind: "delivery",
    user: "alice",
    notification: itemId(SOURCE, title),
    destination: "im",
    attempt: 1,
    state,
    condition: null,
    mayRetry: false,
    at: alice.nowAt,
    ...rest,
  };
  alice.getsReport(report, agentEpoch);
}

async function item(title: string): Promise<HistoryItemWithTrace> {
  return (await calls("historyItem", { id: itemId(SOURCE, title) })) as HistoryItemWithTrace;
}

async function stateOf(title: string): Promise<string> {
  return (await item(title)).state;
}

async function titles(): Promise<string[]> {
  const page = await calls("history", { limit: 50, cursor: null, source: null, q: null, state: null });
  return (page as { items: { title: string }[] }).items.map(({ title }) => title);
}

const dispatched = () =>
  alice.dispatches.map(({ notification, attempt }) => `${notification.title} ${attempt}`);

test("a notification is taken once, also when the avatar has slept in between", async () => {
  await subscribes();
  alice.hears(SOURCE, notified("a"));
  alice.hears(SOURCE, notified("a"));
  alice.fallsAsleep();
  alice.hears(SOURCE, notified("a"));
  alice.hears(SOURCE, notified("b", 2));
  expect(await titles()).toEqual(["b", "a"]);
});

test("what comes from a source that the user has not subscribed to is not taken", async () => {
  alice.hears(SOURCE, notified("a"));
  expect(await titles()).toEqual([]);
});

test("it is held while nobody is there, dispatched in order when somebody comes, handed, received", async () => {
  await subscribes();
  alice.hears(SOURCE, notified("a"));
  alice.hears(SOURCE, notified("b", 2));
  expect(dispatched()).toEqual([]);
  expect(await item("a")).toMatchObject({ state: "held", deliveries: [{ reason: `${OWN} is offline` }] });
  expect(alice.watches).toBe(true);

  alice.fallsAsleep();
  shows("available");
  expect(dispatched()).toEqual(["a 1", "b 1"]);
  expect(alice.dispatches[0]).toMatchObject({ address: OWN, sourceTitle: "Rooms", heldSinceAt: alice.nowAt });

  becomes("a", "handed");
  expect(await stateOf("a")).toBe("handed");
  becomes("a", "received");
  expect(await stateOf("a")).toBe("received");
  expect((await item("a")).trace.map(({ state }) => state)).toEqual([
    null,
    "held",
    "dispatched",
    "handed",
    "received",
  ]);
});

test("it is dispatched at once when somebody is there", async () => {
  await subscribes();
  shows("away");
  alice.hears(SOURCE, notified("a"));
  expect(dispatched()).toEqual(["a 1"]);
});

test("a dispatch without a word from the agent is repeated as the same attempt", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.fallsAsleep();
  alice.isRung();
  expect(dispatched()).toEqual(["a 1"]);
});

test("somebody whom the agent has forgotten while they had nothing to wait for is asked after, once", async () => {
  await subscribes();
  shows("available");
  shows("offline");
  expect(alice.watches).toBe(false);
  alice.hears(SOURCE, notified("a"));
  expect(alice.asked).toEqual([]);
  shows("available");
  for (const state of ["handed", "received"] as const) becomes("a", state);
  shows("offline");
  agentEpoch = 2;
  alice.hears(SOURCE, notified("b", 2));
  expect(alice.asked).toEqual([OWN]);
  alice.hears(SOURCE, notified("c", 3));
  expect(alice.asked).toEqual([]);
});

test("while the agent says nothing of what was dispatched, what comes later waits in line until it has", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.nowAt += 1_000;
  alice.hears(SOURCE, notified("b", 2));
  alice.nowAt += 1_000;
  alice.hears(SOURCE, notified("c", 3));
  expect(dispatched()).toEqual([]);
  alice.isRung();
  expect(dispatched()).toEqual(["a 1", "b 1"]);
  becomes("a", "handed");
  alice.hears(SOURCE, notified("d", 4));
  expect(dispatched()).toEqual([]);
  becomes("b", "handed");
  expect(dispatched()).toEqual(["c 1", "d 1"]);
});

test("what was dispatched over a connection that broke goes again before anything newer, and once", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.hears(SOURCE, notified("b", 2));
  connection = 2;
  alice.hears(SOURCE, notified("c", 3));
  expect(dispatched()).toEqual(["a 1", "b 1", "c 1"]);
  alice.hears(SOURCE, notified("d", 4));
  expect(dispatched()).toEqual(["d 1"]);
});

test("while a dispatch is silent, thousands that wait in line behind it are not looked at again and again", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.nowAt += 1_000;
  alice.hears(SOURCE, notified("b", 2));
  alice.nowAt += 1_000;
  for (let n = 0; n < 1_200; n++) alice.hears(SOURCE, notified(`n${n}`, n + 3));
  becomes("b", "handed");
  expect(alice.wantsAnother).toBe(false);
  becomes("a", "handed");
  expect(alice.wantsAnother).toBe(true);
  expect(dispatched()).toHaveLength(500);
});

test("while a dispatch is silent, what thousands held is decided anew once, and not again and again", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.nowAt += 2_000;
  for (let n = 0; n < 1_200; n++) alice.hears(SOURCE, notified(`n${n}`, n + 2));
  shows("away");
  let turns = 1;
  for (; alice.wantsAnother && turns < 10; turns++) alice.goesOn();
  expect(turns).toBe(3);
  becomes("a", "handed");
  expect(dispatched()).toHaveLength(500);
});

test("a client that usually confirms and leaves without having done so is sent it again", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  becomes("a", "handed");
  becomes("a", "received");
  alice.hears(SOURCE, notified("b", 2));
  becomes("b", "handed");
  shows("offline");
  expect(await stateOf("b")).toBe("held");
  becomes("b", "handed");
  expect(await stateOf("b")).toBe("held");
  shows("available");
  expect(dispatched()).toEqual(["b 2"]);
});

test("a pause holds everything, and its end lets it go", async () => {
  await subscribes();
  shows("available");
  await calls("pause", { untilAt: alice.nowAt + 3_600_000 });
  alice.hears(SOURCE, notified("a"));
  expect(await stateOf("a")).toBe("held");
  alice.isRung();
  expect(dispatched()).toEqual(["a 1"]);
  expect(await calls("profile")).toMatchObject({ pausedUntilAt: null });
});

test("resume ends a pause before its time; a pause does not end in the past", async () => {
  await subscribes();
  shows("available");
  await calls("pause", { untilAt: alice.nowAt + 3_600_000 });
  alice.hears(SOURCE, notified("a"));
  await calls("resume");
  expect(dispatched()).toEqual(["a 1"]);
  await expect(calls("pause", { untilAt: alice.nowAt })).rejects.toMatchObject({ condition: "bad-request" });
});

test("presence of an agent's earlier life counts for nothing, and the avatar asks the new one", async () => {
  await subscribes();
  shows("available");
  agentEpoch = 2;
  alice.getsReport({ kind: "agentUp" }, agentEpoch);
  expect(alice.asked).toEqual([OWN]);
  alice.hears(SOURCE, notified("a"));
  expect(await stateOf("a")).toBe("held");
  shows("available");
  expect(dispatched()).toEqual(["a 1"]);
});

test("a name is signed up once, and a sign-up that was cut off can be repeated", async () => {
  await expect(
    alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-2" }),
  ).rejects.toMatchObject({ condition: "conflict" });
  const bob = new Rehearsal(
    "bob",
    () => new UserAvatar(addresses, { epochOf: () => 1, connection: () => connection }),
  );
  await bob.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-1" });
  expect(await bob.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-2" })).toEqual({
    state: "creating",
  });
  expect(await bob.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-3" })).toMatchObject({
    jid: "bob@d",
  });
});

test("an operation that is repeated answers the same and changes nothing again", async () => {
  const args = { channel: "im", address: "alice@elsewhere" };
  const first = await calls("addDestination", args, "operation-add");
  expect(await calls("addDestination", args, "operation-add")).toEqual(first);
  expect(((await calls("destinations")) as { items: unknown[] }).items).toHaveLength(2);
  await expect(calls("unsubscribe", { id: "x" }, "operation-add")).rejects.toMatchObject({
    condition: "conflict",
  });
});

test("a session counts from web-api until it is closed or over; other callers are refused", async () => {
  const asking = { name: "profile", args: {}, authority: { session } };
  await expect(alice.isCalled({ ...asking, fromDomain: "im.agents.d" })).rejects.toMatchObject({
    condition: "not-authorized",
  });
  await expect(alice.isCalled({ ...asking, fromDomain: "d" })).rejects.toMatchObject({
    condition: "forbidden",
  });
  await expect(alice.isCalled({ ...asking, fromDomain: "evilagents.d" })).rejects.toMatchObject({
    condition: "forbidden",
  });
  await expect(alice.isCalled({ ...web, ...asking, authority: { session: "guess" } })).rejects.toMatchObject({
    condition: "not-authorized",
  });
  await expect(alice.isCalled({ ...web, ...asking, authority: null })).rejects.toMatchObject({
    condition: "not-authorized",
  });
  await expect(
    alice.isCalled({ fromDomain: "im.agents.d", name: "openSession", args: { label: "" } }),
  ).rejects.toBeInstanceOf(CallError);
  await calls("closeSession");
  await expect(calls("profile")).rejects.toMatchObject({ condition: "not-authorized" });
});

test("a session ends after thirty days", async () => {
  alice.nowAt += 30 * 24 * 3_600_000;
  await expect(calls("profile")).rejects.toMatchObject({ condition: "not-authorized" });
});

test("an agent speaks for a verified address alone, and a code makes another one verified", async () => {
  const other = "alice@elsewhere";
  const byAgent = (address: string) =>
    alice.isCalled({ fromDomain: "im.agents.d", name: "profile", args: {}, authority: { jid: address } });
  const added = (await calls("addDestination", { channel: "im", address: other })) as {
    destination: { code: string };
  };
  await expect(byAgent(other)).rejects.toMatchObject({ condition: "not-authorized" });
  const verify = (code: string) =>
    alice.isCalled({ fromDomain: "im.agents.d", name: "verifyAddress", args: { address: other, code } });
  await expect(verify("wrong")).rejects.toMatchObject({ condition: "not-authorized" });

  expect(await verify(added.destination.code)).toMatchObject({ state: "verified", code: null });

  expect(await byAgent(other)).toMatchObject({ jid: OWN });
});

test("a number is proven by the code that its agent sends there, again until the agent has spoken of it", async () => {
  const place = { channel: "sms", address: "+15550100199" };
  const { destination } = (await calls("addDestination", place)) as { destination: { id: string } };
  expect(destination).toMatchObject({ state: "unverified", code: null, problem: null });
  const [code] = alice.dispatches;
  expect([alice.dispatchedBy, alice.watches]).toEqual([["sms"], true]);
  expect(code).toMatchObject({ address: place.address, notification: { source: "tidings" } });
  alice.getsReport({ kind: "agentUp" }, 2, "sms");
  expect(alice.dispatches).toEqual([code]);
  await expect(calls("addDestination", place)).rejects.toMatchObject({ condition: "policy-violation" });

  const of = { user: "alice", notification: code?.notification.id ?? "", destination: destination.id };
  const report = { kind: "delivery", ...of, attempt: 1, state: "handed", at: 0 } as const;
  alice.getsReport({ ...report, condition: null, mayRetry: false }, 2, "sms");
  expect(alice.watches).toBe(false);
  alice.getsReport({ kind: "agentUp" }, 3, "sms");
  expect(alice.dispatches).toEqual([]);

  const verify = (digits: string) => calls("verifyDestination", { id: destination.id, code: digits });
  await expect(verify("0")).rejects.toMatchObject({ condition: "not-acceptable" });
  const digits = /^\d{6}/.exec(code?.notification.title ?? "")?.[0] ?? "";
  expect(await verify(digits)).toMatchObject({ state: "verified", code: null });
  await calls("testDestination", { id: destination.id });
  expect(alice.dispatches[0]?.notification.title).toBe("A test from Tidings");
});

test("what an agent says of an address for good is said to the user, and it is used no more", async () => {
  const place = { channel: "email", address: "alice@example.org" };
  const { destination } = (await calls("addDestination", place)) as { destination: { id: string } };
  const title = alice.dispatches[0]?.notification.title ?? "";
  await calls("verifyDestination", { id: destination.id, code: title.slice(0, 6) });
  const of = { user: "alice", notification: "n", destination: destination.id, attempt: 1, at: 0 };
  const refusal = { kind: "delivery", ...of, state: "refused", mayRetry: false } as const;
  const listed = async () => ((await calls("destinations")) as { items: { problem: string }[] }).items.at(-1);
  alice.getsReport({ ...refusal, condition: "policy-violation", text: "Too long." }, 1, "email");
  expect(await listed()).toMatchObject({ state: "verified", problem: null });
  alice.getsReport(
    { ...refusal, condition: "item-not-found", text: "There is no such mailbox." },
    1,
    "email",
  );
  expect(alice.dispatches).toMatchObject([
    {
      destination: "im",
      notification: {
        title: "Nothing is sent to alice@example.org any more: There is no such mailbox.",
        source: "tidings",
      },
    },
  ]);
  expect(await listed()).toMatchObject({ state: "disabled", problem: "There is no such mailbox." });
  alice.getsReport({ ...refusal, condition: "item-not-found", at: 5 }, 1, "email");
  expect(alice.dispatches).toEqual([]);
});

test("where the agent for a channel has never come up, the user reads what the operator has to do", async () => {
  agentEpoch = 0;
  const { destination } = (await calls("addDestination", { channel: "email", address: "a@example.org" })) as {
    destination: unknown;
  };
  expect(destination).toMatchObject({ problem: /TIDINGS_SMTP_RELAY/ });
});

test("subscribing answers when the source has its baseline, or when that takes too long", async () => {
  const answer = calls("subscribe", { url: FEED, title: null, priority: null });
  expect(alice.told).toEqual([{ to: [SOURCE], event: { type: "subscribed", url: FEED } }]);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(await answer).toMatchObject({ created: true, subscription: { state: "checking" } });
  await subscribes();
  expect(await calls("subscribe", { url: FEED, title: null, priority: null })).toMatchObject({
    created: false,
    subscription: { title: "Rooms" },
  });
});

test("erasing tells the sources and leaves no row", async () => {
  await subscribes();
  alice.hears(SOURCE, notified("a"));
  const erased = calls("erase", {}, "operation-erase");
  expect(alice.told).toContainEqual({ to: [SOURCE], event: { type: "unsubscribed" } });
  await erased;
  expect(alice.rows.list("alice", { from: "", to: "\uffff" })).toEqual([]);
  expect(alice.alarmAt).toBeNull();
});

test("arguments that do not fit a call, and calls that are none, are refused", async () => {
  await expect(calls("history", { limit: 0 })).rejects.toMatchObject({ condition: "bad-request" });
  await expect(alice.isCalled({ ...web, name: "toString", args: {} })).rejects.toMatchObject({
    condition: "feature-not-implemented",
  });
});

test("a try that is due while nobody is there waits for somebody, and does not ring without end", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  becomes("a", "refused", { mayRetry: true, condition: "remote-server-timeout", at: alice.nowAt });
  shows("offline");
  for (let rings = 0; alice.alarmAt !== null && alice.alarmAt - alice.nowAt < 60_000; rings++) {
    expect(rings).toBeLessThan(5);
    alice.isRung();
  }
  shows("available");
  expect(dispatched()).toEqual(["a 2"]);
});

/** Alice's clients confirm; "b" is handed to her phone and not confirmed. */
async function isHandedUnconfirmed(): Promise<void> {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  becomes("a", "received");
  alice.hears(SOURCE, notified("b", 2));
  becomes("b", "handed");
}

test("what leaves twice, or never received, takes nothing with it", async () => {
  await isHandedUnconfirmed();
  shows("offline", "desk");
  expect(dispatched()).toEqual(["b 2"]);
  becomes("b", "handed", { attempt: 2 });
  shows("offline", "desk");
  expect(await stateOf("b")).toBe("handed");
});

test("a client that left while the agent was dead has its notification held again, and a late receipt ends that", async () => {
  await isHandedUnconfirmed();
  agentEpoch = 2;
  alice.getsReport({ kind: "agentUp" }, agentEpoch);
  expect(dispatched()).toEqual([]);
  alice.nowAt += 13_000;
  shows("offline", "");
  expect(await stateOf("b")).toBe("held");
  becomes("b", "received");
  expect(await stateOf("b")).toBe("received");
  shows("available");
  expect(dispatched()).toEqual([]);
});

test("a client that is another one after the agent's death is sent what the earlier one never confirmed", async () => {
  await isHandedUnconfirmed();
  agentEpoch = 2;
  alice.getsReport({ kind: "agentUp" }, agentEpoch);
  shows("available", "tablet");
  expect(dispatched()).toEqual(["b 2"]);
});

test("a presence of the agent's next life brings first what its last one left, in order, and then what came since", async () => {
  await subscribes();
  shows("available");
  for (const [at, name] of ["a", "b", "c"].entries()) alice.hears(SOURCE, notified(name, at + 1));
  becomes("a", "handed");
  agentEpoch = 2;
  alice.hears(SOURCE, notified("d", 4));
  expect(dispatched()).toEqual([]);
  shows("available");
  expect(dispatched()).toEqual(["b 1", "c 1", "d 1"]);
});

test("what nobody has answered for does not go again before an earlier one that has to be tried again, but just behind it", async () => {
  await subscribes();
  shows("available");
  for (const [at, title] of ["a", "b", "c"].entries()) alice.hears(SOURCE, notified(title, at + 1));
  becomes("a", "refused", { condition: "remote-server-timeout", mayRetry: true });
  expect(dispatched()).toEqual([]);

  agentEpoch = 2;
  shows("available");
  expect(dispatched()).toEqual([]);

  alice.isRung();
  expect(dispatched()).toEqual(["a 2", "b 1", "c 1"]);
});

test("what was dispatched by a host that died goes again before what comes to its successor", async () => {
  await subscribes();
  shows("available");
  alice.hears(SOURCE, notified("a"));
  alice.hears(SOURCE, notified("b", 2));
  becomes("a", "handed");
  alice.fallsAsleep();
  alice.hears(SOURCE, notified("c", 3));
  expect(dispatched()).toEqual(["b 1", "c 1"]);
});

test("an agent that comes up is told again, with the same attempt, what was not reported, and nothing else", async () => {
  await isHandedUnconfirmed();
  alice.hears(SOURCE, notified("c", 3));
  alice.fallsAsleep();
  alice.getsReport({ kind: "agentUp" }, ++agentEpoch);
  expect(dispatched()).toEqual(["c 1"]);
  expect(alice.asked).toEqual([OWN]);
});

test("an avatar stays awake while a caller waits for a source, and no longer", async () => {
  const late = calls("subscribe", { url: FEED, title: null, priority: null });
  expect(alice.isBusy).toBe(true);
  await vi.advanceTimersByTimeAsync(9_000);
  await late;
  expect(alice.isBusy).toBe(false);
  await subscribes();
  expect(alice.isBusy).toBe(false);
});
