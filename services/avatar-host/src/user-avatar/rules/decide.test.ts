import { DEFAULT_RULES, type Rules, type Show } from "@tidings/protocol";
import { expect, test } from "vitest";
import type { Delivery, DestinationRow } from "../rows.ts";
import { type Decision, decide, type Progress } from "./decide.ts";
import { compileRules } from "./routing.ts";
import { aDelivery, aNotification, aPresence, destinationAt, NEW } from "./scene.ts";

const MINUTE_MS = 60_000;
const NOON = Date.UTC(2026, 0, 14, 12);
const im = destinationAt("im", "alice@d");
const work = destinationAt("im", "alice@work", "work");
const phone = destinationAt("sms", "+15550100", "phone");
const mail = destinationAt("email", "alice@example.org", "mail");

interface Scene {
  readonly priority?: "default" | "urgent" | "low";
  readonly rules?: Partial<Rules>;
  readonly shows?: Readonly<Record<string, Show>>;
  readonly destinations?: readonly DestinationRow[];
  readonly deliveries?: readonly Delivery[];
  readonly progress?: Partial<Progress>;
  readonly pausedUntilAt?: number;
  readonly nowAt?: number;
}

function decided(scene: Scene): Decision[] {
  const { priority = "default", rules = {}, shows = {}, nowAt = NOON } = scene;
  const progress = { ...NEW, takenAt: NOON, deliveries: scene.deliveries ?? [], ...scene.progress };
  const whereabouts = {
    presence: aPresence(shows),
    agentEpoch: 1,
    pausedUntilAt: scene.pausedUntilAt ?? null,
  };
  const routing = compileRules({ ...DEFAULT_RULES, ...rules });
  const subject = { notification: aNotification(), priority };
  return decide(subject, routing, scene.destinations ?? [im, phone, mail], whereabouts, progress, nowAt);
}

const actions = (scene: Scene) =>
  Object.fromEntries(decided(scene).map(({ destination, action }) => [destination.id, action]));
const why = (scene: Scene) =>
  Object.fromEntries(decided(scene).map(({ destination, because }) => [destination.id, because.sentence]));
const sent = (destination: DestinationRow, state: Delivery["state"], at = NOON) =>
  aDelivery(destination, state, at);

test("by default it goes to IM as soon as anybody is there, in whatever mood", () => {
  for (const show of ["chat", "available", "away", "xa", "dnd"] as const)
    expect(actions({ shows: { "alice@d": show } })).toEqual({ im: "dispatch", phone: "skip", mail: "skip" });
});

test("by default what is not urgent is held while nobody is there, and mailed with the next morning's digest", () => {
  const held = decided({});
  expect(held.map(({ action }) => action)).toEqual(["hold", "skip", "hold"]);
  const morning = Date.UTC(2026, 0, 15, 8);
  expect(held[2]).toMatchObject({ untilAt: morning, because: { code: "heldDigest" } });
  const deliveries = [sent(im, "held"), sent(phone, "skipped"), sent(mail, "held")];
  const due = decided({ deliveries, nowAt: morning });
  expect(due.map(({ action }) => action)).toEqual(["skip", "skip", "dispatch"]);
  expect(due[2]).toMatchObject({ bundle: { why: "held" } });
});

test("without a verified address for the digest it is held for IM alone", () => {
  expect(actions({ destinations: [im, { ...mail, state: "unverified" }] })).toEqual({ im: "hold" });
});

test("what is urgent goes on at once when nobody is there, and only to the next verified address", () => {
  expect(actions({ priority: "urgent" })).toEqual({ im: "skip", phone: "dispatch", mail: "skip" });
  expect(why({ priority: "urgent" })).toEqual({
    im: "alice@d is offline; reached at +15550100",
    phone: "+15550100 is next, as alice@d is offline",
    mail: "reached at +15550100",
  });
  expect(actions({ priority: "urgent", destinations: [im, mail] })).toEqual({ im: "skip", mail: "dispatch" });
});

test("what is urgent waits two minutes for a receipt when somebody is there, and then goes on", () => {
  const scene = { priority: "urgent" as const, shows: { "alice@d": "available" as const } };
  const dueAt = NOON + 2 * MINUTE_MS;
  expect(decided(scene)).toMatchObject([
    { action: "dispatch" },
    { action: "hold", untilAt: dueAt, because: { code: "unconfirmed" } },
    { action: "hold", untilAt: dueAt },
  ]);
  const deliveries = [sent(im, "handed"), sent(phone, "held"), sent(mail, "held")];
  expect(actions({ ...scene, deliveries, nowAt: dueAt - 1 })).toMatchObject({ phone: "hold" });
  expect(actions({ ...scene, deliveries, nowAt: dueAt })).toMatchObject({ phone: "dispatch", mail: "skip" });
  expect(why({ ...scene, deliveries, nowAt: dueAt }).phone).toBe(
    "+15550100 is next, as alice@d has not confirmed it in time",
  );
});

test.each(["received", "displayed", "acted"] as const)("what was %s goes nowhere else", (state) => {
  const deliveries = [sent(im, state), sent(phone, "held"), sent(mail, "held")];
  const nowAt = NOON + 60 * MINUTE_MS;
  expect(actions({ priority: "urgent", deliveries, nowAt })).toMatchObject({ phone: "skip", mail: "skip" });
});

test("who asks for an acknowledgement is told further on although it was received", () => {
  const ladders = {
    default: [{ to: "im" as const }, { unless: "acked" as const, within: "PT10M" }, { to: "sms" as const }],
  };
  const scene = { rules: { ladders }, deliveries: [sent(im, "displayed"), sent(phone, "held")] };
  expect(actions({ ...scene, nowAt: NOON + 9 * MINUTE_MS })).toMatchObject({ phone: "hold" });
  expect(actions({ ...scene, nowAt: NOON + 10 * MINUTE_MS })).toMatchObject({ phone: "dispatch" });
});

test("back before the time is over: the phone is not used, and nothing goes twice when somebody comes after it was", () => {
  const shows = { "alice@d": "available" as const };
  const late = { priority: "urgent" as const, shows, nowAt: NOON + MINUTE_MS };
  expect(actions({ ...late, deliveries: [sent(im, "received"), sent(phone, "held")] })).toMatchObject({
    phone: "skip",
  });
  expect(actions({ ...late, deliveries: [sent(im, "held"), sent(phone, "handed")] })).toMatchObject({
    im: "skip",
  });
});

test("a refusal leads to the next rung, and a passing one back when its time has come", () => {
  const refused = [sent(im, "refused"), sent(phone, "skipped"), sent(mail, "skipped")];
  expect(actions({ priority: "urgent", deliveries: refused })).toMatchObject({ phone: "dispatch" });
  expect(
    actions({ priority: "urgent", deliveries: [sent(im, "refused"), sent(phone, "refused")] }),
  ).toMatchObject({ mail: "dispatch" });
  const later = { ...sent(im, "held"), retryAt: NOON + MINUTE_MS };
  expect(decided({ shows: { "alice@d": "chat" }, deliveries: [later], destinations: [im] })).toMatchObject([
    { action: "hold", untilAt: NOON + MINUTE_MS, because: { code: "retrying" } },
  ]);
});

test("of several IM addresses the one counts where the user is most present", () => {
  const shows = { "alice@d": "away" as const, "alice@work": "available" as const };
  expect(why({ destinations: [im, work], shows })).toEqual({
    im: "reached at alice@work",
    work: "alice@work is available",
  });
});

test("conditions on presence and idle time choose the rung, and the clock alone can fulfil one", () => {
  const ladders = {
    default: [
      { to: "im" as const, when: { presence: ["available" as const], idleUnder: "PT5M" } },
      { to: "sms" as const, when: { idleFor: "PT15M" } },
    ],
  };
  const held = { digest: null };
  const scene = { rules: { ladders, held }, shows: { "alice@d": "available" as const } };
  expect(actions(scene)).toMatchObject({ im: "dispatch", phone: "skip" });
  expect(actions({ ...scene, shows: { "alice@d": "away" } })).toMatchObject({ im: "hold", phone: "hold" });
  expect(actions({ ...scene, shows: {} })).toMatchObject({ im: "skip", phone: "dispatch" });
  const idle = {
    presence: aPresence({ "alice@d": "available" }, NOON - 10 * MINUTE_MS),
    agentEpoch: 1,
    pausedUntilAt: null,
  };
  const routing = compileRules({ ...DEFAULT_RULES, ladders, held });
  const subject = { notification: aNotification(), priority: "default" as const };
  expect(decide(subject, routing, [im, phone], idle, { ...NEW, takenAt: NOON }, NOON)).toMatchObject([
    { action: "hold", untilAt: null, because: { code: "unmet" } },
    { action: "hold", untilAt: NOON + 5 * MINUTE_MS },
  ]);
});

test("a wait on the ladder holds what is behind it, and nothing else", () => {
  const ladders = { default: [{ to: "im" as const }, { wait: "PT30M" }, { to: "email" as const }] };
  const wait = { rules: { ladders } };
  expect(decided(wait)).toMatchObject([
    { action: "hold" },
    { action: "skip" },
    { action: "hold", untilAt: NOON + 30 * MINUTE_MS },
  ]);
  expect(actions({ ...wait, shows: { "alice@d": "xa" } })).toMatchObject({ im: "dispatch", mail: "skip" });
  expect(actions({ ...wait, nowAt: NOON + 30 * MINUTE_MS })).toMatchObject({ im: "skip", mail: "dispatch" });
});

const quietHours = [{ from: "22:00", to: "07:00" }];

test("quiet hours hold what is not urgent until they end, and what came in them comes together after", () => {
  const shows = { "alice@d": "available" as const };
  const evening = Date.UTC(2026, 0, 14, 23);
  const seven = Date.UTC(2026, 0, 15, 7);
  const scene = { rules: { quietHours }, shows, progress: { takenAt: evening }, nowAt: evening };
  expect(decided(scene)[0]).toMatchObject({ action: "hold", untilAt: seven, because: { code: "quiet" } });
  expect(decided({ ...scene, nowAt: seven })[0]).toMatchObject({
    action: "dispatch",
    bundle: { why: "catchUp" },
  });
  expect(decided({ ...scene, priority: "urgent" })[0]).toMatchObject({ action: "dispatch", bundle: null });
});

test("a pause holds the urgent as well, a snooze only its own notification", () => {
  const shows = { "alice@d": "available" as const };
  const until = NOON + MINUTE_MS;
  expect(decided({ priority: "urgent", shows, pausedUntilAt: until })[0]).toMatchObject({
    action: "hold",
    untilAt: until,
  });
  expect(decided({ shows, pausedUntilAt: NOON })[0]).toMatchObject({ action: "dispatch" });
  expect(decided({ priority: "urgent", shows, progress: { snoozedUntilAt: until } })[0]?.because.code).toBe(
    "snoozed",
  );
});

test("a subscription's filter, its mute and its digest count; muted is what came before the mute ended", () => {
  const shows = { "alice@d": "available" as const };
  const of = (own: Rules["subscriptions"][string]) => ({ shows, rules: { subscriptions: { "rss.1": own } } });
  expect(decided(of({ filter: { contains: "elsewhere" } }))[0]?.because.code).toBe("filtered");
  expect(decided(of({ filter: { contains: "ROOMS" } }))[0]?.action).toBe("dispatch");
  expect(decided(of({ mute: true }))[0]?.because.code).toBe("muted");
  const until = { until: new Date(NOON + 1).toISOString() };
  expect(decided({ ...of({ mute: until }), nowAt: NOON + MINUTE_MS })[0]?.because.code).toBe("muted");
  expect(
    decided({ ...of({ mute: until }), progress: { takenAt: NOON + 1 }, nowAt: NOON + 1 })[0]?.action,
  ).toBe("dispatch");
  const hourly = of({ digest: { every: "PT1H" } });
  expect(decided(hourly)[0]).toMatchObject({ action: "hold", untilAt: NOON + 60 * MINUTE_MS });
  expect(decided({ ...hourly, nowAt: NOON + 60 * MINUTE_MS })[0]).toMatchObject({
    action: "dispatch",
    bundle: { why: "digest" },
  });
  expect(decided({ ...hourly, priority: "urgent" })[0]?.action).toBe("dispatch");
});

test("the first rule that matches counts, and its reason names it", () => {
  const rules = [
    { name: "fire", when: { match: { contains: "fire" } }, set: { priority: "urgent" as const } },
    { name: "rooms", when: { subscriptions: ["rss.1"], match: { contains: "rooms" } }, set: { mute: true } },
    { name: "all", when: {}, set: { priority: "urgent" as const } },
  ];
  expect(why({ rules: { rules } }).im).toBe('muted by the rule "rooms"');
  expect(actions({ rules: { rules: rules.slice(2) } })).toMatchObject({ phone: "dispatch" });
});

test("what is the same as before is left out, and a burst comes together at its end", () => {
  const shows = { "alice@d": "available" as const };
  expect(why({ shows, progress: { duplicateOf: "Rooms" } }).im).toBe("the same as Rooms, which came before");
  const burst = { shows, progress: { burstUntilAt: NOON + MINUTE_MS } };
  expect(decided(burst)[0]).toMatchObject({ action: "hold", untilAt: NOON + MINUTE_MS });
  expect(decided({ ...burst, nowAt: NOON + MINUTE_MS })[0]).toMatchObject({
    action: "dispatch",
    bundle: { why: "burst" },
  });
});

test("the budget for SMS gives up the least urgent first, goes on to the next rung, and does not come back to it", () => {
  const ladders = { default: [{ to: "sms" as const }, { to: "email" as const }] };
  const at = (priority: "low" | "default" | "urgent", smsSentToday: number) =>
    actions({ priority, rules: { ladders }, progress: { smsSentToday } });
  expect(at("low", 3)).toMatchObject({ phone: "dispatch", mail: "skip" });
  expect(at("low", 4)).toMatchObject({ phone: "skip", mail: "dispatch" });
  expect(at("default", 5)).toMatchObject({ phone: "dispatch" });
  expect(at("default", 6)).toMatchObject({ phone: "skip" });
  expect(at("urgent", 9)).toMatchObject({ phone: "dispatch" });
  expect(at("urgent", 10)).toMatchObject({ phone: "skip" });
  const given = { ...sent(phone, "skipped"), because: "smsBudget" as const };
  expect(actions({ rules: { ladders }, destinations: [phone], deliveries: [given] })).toEqual({
    phone: "skip",
  });
});

test("an address that is not verified gets no decision, and every reason is one sentence without an end mark", () => {
  const all = decided({
    destinations: [im, { ...phone, state: "unverified" }, { ...mail, state: "disabled" }],
  });
  expect(all.map(({ destination }) => destination.id)).toEqual(["im"]);
  expect(all[0]?.because).toEqual({ code: "offline", sentence: "alice@d is offline" });
});
