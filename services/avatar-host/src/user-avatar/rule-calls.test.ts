import {
  addressesOf,
  type CallName,
  type CallResult,
  feedSource,
  type HistoryItemWithTrace,
  itemId,
  type Priority,
  type Show,
} from "@tidings/protocol";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { CORE, type CoreRow } from "./rows.ts";
import { destinationAt } from "./rules/scene.ts";
import { UserAvatar } from "./user-avatar.ts";

const addresses = addressesOf("d");
const FEED = "https://example.org/feed";
const SOURCE = feedSource(FEED);
const web = { fromDomain: addresses.web };
const STATE = { dispatch: "dispatched", hold: "held", skip: "skipped" } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Alice with a phone and a mailbox, who has subscribed to one feed. */
class Stage {
  readonly alice = new Rehearsal(
    "alice",
    () => new UserAvatar(addresses, { epochOf: () => 1, connection: () => 1 }),
  );
  #session = "";
  #order = 0;
  #seq = 0;

  static async opens(priority: Priority = "default"): Promise<Stage> {
    const stage = new Stage();
    const { alice } = stage;
    await alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-begin" });
    await alice.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-finish" });
    const opened = await alice.isCalled({ ...web, name: "openSession", args: { label: "" } });
    stage.#session = (opened as { session: string }).session;
    const core = JSON.parse(alice.rows.get("alice", CORE) ?? "") as CoreRow;
    const more = [destinationAt("sms", "+15550100"), destinationAt("email", "alice@example.org")];
    alice.isGiven(CORE, { ...core, destinations: [...core.destinations, ...more] });
    const answer = stage.calls("subscribe", { url: FEED, title: null, priority });
    alice.hears(SOURCE, { type: "sourceChanged", state: "active", title: "Rooms", problem: null });
    await answer;
    return stage;
  }

  calls<N extends CallName>(name: N, args: Record<string, unknown> = {}): Promise<CallResult<N>> {
    const authority = { session: this.#session };
    return this.alice.isCalled({ ...web, name, args, authority }) as Promise<CallResult<N>>;
  }

  puts(rules: unknown, ifVersion: number | null = null): Promise<CallResult<"putRules">> {
    return this.calls("putRules", { rules, ifVersion });
  }

  simulates(args: Record<string, unknown>): Promise<CallResult<"simulate">> {
    return this.calls("simulate", { historyId: null, notification: null, presence: null, at: null, ...args });
  }

  shows(show: Show, idleSinceAt: number | null = null): void {
    const rest = { address: "alice@d", resource: "phone", priority: 0, idleSinceAt, order: ++this.#order };
    this.alice.getsReport({ kind: "presence", user: "alice", show, ...rest }, 1);
  }

  comes(title: string): void {
    const item = {
      id: itemId(SOURCE, title),
      title,
      link: null,
      summary: null,
      author: null,
      publishedAt: null,
    };
    const notification = { ...item, source: SOURCE, seq: ++this.#seq, receivedAt: this.alice.nowAt };
    this.alice.hears(SOURCE, { type: "notified", notification });
  }

  item(title: string): Promise<HistoryItemWithTrace> {
    return this.calls("historyItem", { id: itemId(SOURCE, title) });
  }
}

test("rules are the default ones until some are put; each put has a new version, and an old one is told", async () => {
  const stage = await Stage.opens();
  expect(await stage.calls("rules")).toMatchObject({ version: 0, rules: { zone: "UTC" } });
  expect(await stage.puts({ zone: "Asia/Tokyo" }, 0)).toEqual({ outcome: "stored", version: 1 });
  expect(await stage.puts({ zone: "UTC" }, 0)).toEqual({ outcome: "stale", version: 1 });
  stage.alice.fallsAsleep();
  expect(await stage.calls("rules")).toMatchObject({ version: 1, rules: { zone: "Asia/Tokyo" } });
});

test("what is wrong with rules is said, what the user does not have included, and the present ones stay", async () => {
  const stage = await Stage.opens();
  const rules = {
    subscriptions: { "rss.other": { mute: true } },
    ladders: { own: [{ destination: "fax" }] },
  };
  const answer = await stage.puts(rules);
  expect(answer).toMatchObject({
    outcome: "refused",
    problems: [{ pointer: "/ladders/own/0/destination" }, { pointer: "/subscriptions/rss.other" }],
  });
  expect(await stage.calls("rules")).toMatchObject({ version: 0 });
  const own = { subscriptions: { [SOURCE]: { mute: true } }, ladders: { own: [{ destination: "sms" }] } };
  expect(await stage.puts(own)).toMatchObject({ outcome: "stored" });
});

test("who leaves a subscription takes it out of the rules, which can be put again as they are read", async () => {
  const stage = await Stage.opens();
  const mute = { set: { mute: true } };
  const rules = [
    { name: "alone", when: { subscriptions: [SOURCE] }, ...mute },
    { name: "all", when: { match: { contains: "sold" } }, ...mute },
  ];
  await stage.puts({ subscriptions: { [SOURCE]: { filter: { contains: "room" } } }, rules });
  await stage.calls("unsubscribe", { id: SOURCE });
  const read = await stage.calls("rules");
  expect(read).toMatchObject({ version: 2, rules: { subscriptions: {}, rules: [{ name: "all" }] } });
  expect(await stage.puts(read.rules, 2)).toMatchObject({ outcome: "stored" });
});

test("new rules count at once, for what is held as well", async () => {
  const stage = await Stage.opens();
  stage.comes("a");
  await stage.puts({ ladders: { default: [{ to: "im" }, { to: "sms" }] } });
  expect(stage.alice.dispatches.map(({ destination }) => destination)).toEqual(["sms"]);
});

test("a subscription's filter is a part of the rules, and decides anew for what is held; a wrong one changes nothing", async () => {
  const stage = await Stage.opens();
  const change = (rest: object) => stage.calls("changeSubscription", { id: SOURCE, ...rest });
  stage.comes("two rooms");
  const changed = await change({ filter: { contains: "garden" } });
  expect(changed).toMatchObject({ filter: { contains: "garden" } });
  const { deliveries } = await stage.item("two rooms");
  expect(deliveries.find(({ destination }) => destination === "im")).toMatchObject({ state: "skipped" });
  await expect(change({ filter: { matches: "(" }, priority: "low" })).rejects.toMatchObject({
    condition: "bad-request",
    message: expect.stringMatching(/^\/filter/),
  });
  const { rules } = await stage.calls("rules");
  expect(rules).toMatchObject({ subscriptions: { [SOURCE]: { filter: { contains: "garden" } } } });
  expect(await change({ filter: null })).toMatchObject({ filter: null, priority: "default" });
  const other = { url: "https://example.org/other", title: null, priority: null };
  void stage.calls("subscribe", { ...other, filter: { contains: "flat" } });
  const listed = await stage.calls("subscriptions");
  expect(listed.items.map(({ filter }) => filter)).toEqual([null, { contains: "flat" }]);
});

test("the source hears whether edits are wanted, from the start or from a change", async () => {
  const stage = await Stage.opens();
  const asked = () =>
    stage.alice.told.flatMap(({ to, event }) =>
      event.type === "subscribed" ? [[to.join(), event.edits]] : [],
    );
  const changed = await stage.calls("changeSubscription", { id: SOURCE, edits: true });
  expect(changed).toMatchObject({ edits: true });
  expect(asked()).toEqual([[SOURCE, true]]);
  const url = "https://example.org/other";
  void stage.calls("subscribe", { url, title: null, priority: null, edits: true });
  expect(asked()).toEqual([[feedSource(url), true]]);
});

test("a priority that is changed decides anew for what is held", async () => {
  const stage = await Stage.opens();
  stage.comes("a");
  await stage.calls("changeSubscription", { id: SOURCE, priority: "urgent" });
  expect(stage.alice.dispatches.map(({ destination }) => destination)).toEqual(["sms"]);
});

test("a simulation sends and keeps nothing, and may be of another time and presence", async () => {
  const stage = await Stage.opens();
  await stage.puts({ zone: "Europe/Berlin", quietHours: [{ from: "22:00", to: "07:00" }] });
  const rows = stage.alice.rows.list("alice", { from: "", to: "\uffff" });
  const at = Date.UTC(2026, 0, 14, 22, 10);
  const notification = { title: "Two rooms" };
  const presence = [{ show: "away" }];
  const night = await stage.simulates({ notification, presence, at });
  expect(night.decisions[0]).toMatchObject({
    action: "hold",
    untilAt: Date.UTC(2026, 0, 15, 6),
    because: "quiet",
  });
  const urgent = await stage.simulates({
    notification: { ...notification, priority: "urgent" },
    presence,
    at,
  });
  expect(urgent.decisions[0]).toMatchObject({ action: "dispatch", reason: "alice@d is away" });
  expect(stage.alice.dispatches).toEqual([]);
  expect(stage.alice.rows.list("alice", { from: "", to: "\uffff" })).toEqual(rows);
});

test("a simulation is of one notification: one of the history or one that is made up", async () => {
  const stage = await Stage.opens();
  stage.comes("a");
  const historyId = itemId(SOURCE, "a");
  const held = await stage.simulates({ historyId });
  expect(held.decisions[0]).toMatchObject({ action: "hold", because: "offline" });
  await expect(stage.simulates({ historyId, notification: { title: "b" } })).rejects.toMatchObject({
    condition: "bad-request",
  });
  await expect(stage.simulates({})).rejects.toMatchObject({ condition: "bad-request" });
  await expect(stage.simulates({ historyId: "0".repeat(32) })).rejects.toMatchObject({
    condition: "item-not-found",
  });
});

const documents = fc.record(
  {
    zone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York"),
    quietHours: fc.constantFrom(
      [],
      [{ from: "22:00", to: "07:00" }],
      [{ from: "06:00", to: "20:00", days: ["thu", "fri"] }],
    ),
    rules: fc.constantFrom(
      [],
      [{ name: "fire", when: { match: { contains: "fire" } }, set: { priority: "urgent" } }],
      [{ name: "rooms", when: { match: { matches: "^two rooms?" } }, set: { mute: true } }],
    ),
    ladders: fc.constantFrom(
      {},
      {
        default: [
          { to: "im", when: { presence: ["available"], idleUnder: "PT10M" } },
          { wait: "PT5M" },
          { to: "sms" },
        ],
      },
      { default: [{ to: "sms", when: { presence: ["offline", "xa"] } }, { to: "email" }] },
    ),
    subscriptions: fc.constantFrom(
      {},
      { [SOURCE]: { filter: { not: { contains: "sold" } } } },
      { [SOURCE]: { digest: { every: "PT1H" } } },
    ),
    sms: fc.constantFrom({ mostPerDay: 0 }, { mostPerDay: 5 }),
  },
  { requiredKeys: [] },
);

test("what the simulator says is what happens, in a thousand scenes", async () => {
  const scenes = fc.record({
    rules: documents,
    priority: fc.constantFrom<Priority>("min", "default", "high", "urgent"),
    title: fc.constantFrom("Two rooms, quiet street", "The house is on fire", "Sold: one room"),
    show: fc.constantFrom<Show>("chat", "available", "away", "xa", "dnd", "offline"),
    idleMs: fc.option(fc.integer({ min: 0, max: 3_600_000 })),
    afterMs: fc.integer({ min: 0, max: 7 * 86_400_000 }),
  });
  await fc.assert(
    fc.asyncProperty(scenes, async ({ rules, priority, title, show, idleMs, afterMs }) => {
      const stage = await Stage.opens(priority);
      expect(await stage.puts(rules)).toMatchObject({ outcome: "stored" });
      stage.alice.nowAt += afterMs;
      stage.shows(show, idleMs === null ? null : stage.alice.nowAt - idleMs);
      const before = await stage.simulates({ notification: { title, source: SOURCE } });
      stage.comes(title);
      const { deliveries } = await stage.item(title);
      const said = before.decisions.map((one) => [one.destination, STATE[one.action], one.reason]);
      expect(deliveries.map(({ destination, state, reason }) => [destination, state, reason])).toEqual(said);
      // One SMS more has been sent today.
      if (before.decisions.some(({ channel, action }) => channel === "sms" && action === "dispatch")) return;
      const afterwards = await stage.simulates({ historyId: itemId(SOURCE, title) });
      expect(afterwards.decisions).toEqual(before.decisions);
    }),
    { numRuns: 1_000 },
  );
});
