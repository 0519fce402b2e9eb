/**
 * What happens to one notification at one destination.
 *
 *     held ──reachable──▶ dispatched ──handed──▶ handed ──receipt──▶ received ──▶ displayed ──▶ acted
 *      ▲                     │                     │
 *      ├──may be tried again─┘ refused             └──its resource left within 30 s without a receipt─▶ held again
 *      └──24 h──▶ expired                             from a client that sends receipts
 *
 * Pure. States only go forward within an attempt: a late or repeated report changes nothing. Of an earlier attempt only what
 * the user's client said counts: it has the notification; and not even that once the user has asked for it again.
 */
import type { DeliveryReport, DeliveryState, TraceStep } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";
import type { DeliveriesRow, Delivery, TakenFacts } from "./rows.ts";
import { isUntried } from "./rules/climb.ts";
import type { Decision } from "./rules/decide.ts";

/** After this long without a word from the agent a dispatch is repeated (milliseconds). */
export const DISPATCH_TIMEOUT_MS = 30_000;
/** For this long after `handed` a resource that leaves takes the message with it (milliseconds). */
export const HANDED_DOUBT_MS = 600_000;
/** A delivery that is held although the user's rules would let it go is given up after this long (milliseconds). */
export const IM_EXPIRES_MS = 24 * 3_600_000;
/** Alarms are set on multiples of this, so that a busy avatar does not move its alarm with each item (milliseconds). */
const ALARM_GRAIN_MS = 5_000;
/** Most steps of a trace that are kept: the latest. */
export const TRACE_STEPS = 60;
/**
 * Times that the user's own server may say service-unavailable. It says so of somebody who has just left, and also of an
 * account that is none and of a contact that is blocked (RFC 6121 §8.5.1, XEP-0191 §5), which no later try changes.
 */
const MOST_UNAVAILABLE = 10;
/** Between tries: a server that is away is tried until the delivery expires, and not often (milliseconds). */
const RETRY = { firstMs: 2_000, maxMs: 600_000 };
/** Between repeats of a dispatch without a word; an agent that comes up is told at once (milliseconds). */
const REPEAT = { firstMs: DISPATCH_TIMEOUT_MS, maxMs: 600_000 };

const RANK: Readonly<Record<DeliveryState, number>> = {
  skipped: 0,
  expired: 1,
  refused: 2,
  held: 3,
  dispatched: 4,
  handed: 5,
  received: 6,
  displayed: 7,
  acted: 8,
};

/** True while somebody still waits for this delivery. */
export function isOpen({ state }: Delivery): boolean {
  return state === "held" || state === "dispatched" || state === "handed";
}

/** The furthest state of all deliveries, or `unread` when there is no destination at all. */
export function furthest(deliveries: readonly Delivery[]): DeliveryState | "unread" {
  let best: DeliveryState | "unread" = "unread";
  for (const { state } of deliveries) if (best === "unread" || RANK[state] > RANK[best]) best = state;
  return best;
}

/** The deliveries of a new notification, as decided; `facts` is what was found when it came. */
export function begin(decisions: readonly Decision[], nowAt: number, facts: TakenFacts = {}): DeliveriesRow {
  const deliveries = decisions.map((decision) => decided(decision, null, nowAt));
  return { ...facts, takenAt: nowAt, deliveries, trace: deliveries.map(stepOf) };
}

/**
 * What has not been tried, decided anew: what is held, and what was left out while it was under way elsewhere. A
 * destination that has come since is added when it is used. The same row when nothing changes.
 */
export function redecide(row: DeliveriesRow, decisions: readonly Decision[], nowAt: number): DeliveriesRow {
  const deliveries = row.deliveries.map((delivery) => {
    const decision = decisions.find(({ destination }) => destination.id === delivery.destination);
    if (delivery.state === "held") return expireOr(delivery, decision, nowAt);
    const isWanted = decision !== undefined && decision.action !== "skip" && isUntried(delivery);
    return isWanted ? decided(decision, delivery, nowAt) : delivery;
  });
  const added = decisions
    .filter(({ action, destination }) => action !== "skip" && !isIn(row, destination.id))
    .map((decision) => decided(decision, null, nowAt));
  const isSame = added.length === 0 && deliveries.every((delivery, at) => delivery === row.deliveries[at]);
  return isSame ? row : withSteps(row, [...deliveries, ...added]);
}

function isIn({ deliveries }: DeliveriesRow, destination: string): boolean {
  return deliveries.some((delivery) => delivery.destination === destination);
}

/** What an agent reported; the same row when it is old news. */
export function report(row: DeliveriesRow, said: DeliveryReport): DeliveriesRow {
  const deliveries = row.deliveries.map((delivery) =>
    delivery.destination === said.destination ? reported(delivery, said) : delivery,
  );
  return deliveries.some((delivery, at) => delivery !== row.deliveries[at])
    ? withSteps(row, deliveries)
    : row;
}

/** Handed deliveries at `destination` that nobody confirmed are held again, as the resource has gone. */
export function doubt(row: DeliveriesRow, destination: string, nowAt: number): DeliveriesRow {
  const deliveries = row.deliveries.map((delivery) =>
    delivery.destination === destination &&
    delivery.state === "handed" &&
    nowAt - delivery.at < HANDED_DOUBT_MS
      ? doubted(delivery, nowAt)
      : delivery,
  );
  return deliveries.some((delivery, at) => delivery !== row.deliveries[at])
    ? withSteps(row, deliveries)
    : row;
}

/**
 * When the clock has something to do for this delivery, epoch milliseconds; null while it waits for news alone. A time
 * that has passed means that the delivery waits for the user now.
 */
export function dueAt(delivery: Delivery): number | null {
  switch (delivery.state) {
    case "held":
      return delivery.retryAt ?? delivery.untilAt ?? null;
    case "dispatched":
      return delivery.at + backOffMs((delivery.repeats ?? 0) + 1, REPEAT, 1);
    case "handed":
      return delivery.at + HANDED_DOUBT_MS;
    default:
      return null;
  }
}

/** When the clock has something to do for `row` (epoch milliseconds); null when it waits for news alone. */
export function nextAlarmAt({ deliveries }: DeliveriesRow, nowAt: number): number | null {
  const alarms = deliveries.flatMap((delivery) => {
    const due = dueAt(delivery);
    // What is due and still held waits for the user: an alarm in the past would ring without end.
    if (due === null || due <= nowAt) return [];
    return [delivery.state === "held" ? due : Math.ceil(due / ALARM_GRAIN_MS) * ALARM_GRAIN_MS];
  });
  return alarms.length === 0 ? null : Math.min(...alarms);
}

/** The destinations at which `after` is dispatched and `before` was not. */
export function newlyDispatched(before: DeliveriesRow, after: DeliveriesRow): Set<string> {
  const isNew = ({ destination, state }: Delivery) =>
    state === "dispatched" &&
    !before.deliveries.some((one) => one.destination === destination && one.state === "dispatched");
  return new Set(after.deliveries.filter(isNew).map(({ destination }) => destination));
}

/** Whether news of one delivery can set another one going. */
export function mayGoElsewhere({ deliveries }: DeliveriesRow): boolean {
  const isGivenUp = deliveries.some(({ state }) => state === "refused" || state === "expired");
  return deliveries.some(({ state }) => state === "held" || (isGivenUp && state === "skipped"));
}

/** Whether something held in it has come to its time. */
export function isPast(row: DeliveriesRow | undefined, nowAt: number): boolean {
  const isDue = (delivery: Delivery) => delivery.state === "held" && (dueAt(delivery) ?? nowAt + 1) <= nowAt;
  return row?.deliveries.some(isDue) ?? false;
}

/** Whether a dispatch has waited for a word from the agent for so long that it is to be repeated. */
export function isRepeatDue({ deliveries }: DeliveriesRow, nowAt: number): boolean {
  return deliveries.some(
    (delivery) => delivery.state === "dispatched" && (dueAt(delivery) ?? nowAt) <= nowAt,
  );
}

/**
 * Dispatches without a word from the agent, later and later, until they expire; the same row when none is due. `withOthers`:
 * others are, and this one goes with them.
 */
export function repeat(row: DeliveriesRow, nowAt: number, withOthers = false): DeliveriesRow {
  if (!withOthers && !isRepeatDue(row, nowAt)) return row;
  const deliveries = row.deliveries.map((delivery) =>
    delivery.state === "dispatched" ? repeated(delivery, nowAt) : delivery,
  );
  const expired = deliveries.filter(({ state }) => state === "expired");
  if (deliveries.every((delivery, at) => delivery === row.deliveries[at])) return row;
  return { ...row, deliveries, trace: [...row.trace, ...expired.map(stepOf)].slice(-TRACE_STEPS) };
}

function repeated(delivery: Delivery, nowAt: number): Delivery {
  const heldSinceAt = delivery.heldSinceAt ?? delivery.at;
  if (nowAt - heldSinceAt >= IM_EXPIRES_MS) return expired(delivery, nowAt);
  return { ...delivery, at: nowAt, heldSinceAt, repeats: (delivery.repeats ?? 0) + 1 };
}

function expired({ because: _, ...delivery }: Delivery, nowAt: number): Delivery {
  return { ...delivery, state: "expired", at: nowAt, reason: "held for 24 h; it stays in the history" };
}

function decided(decision: Decision, before: Delivery | null, nowAt: number): Delivery {
  const { destination, action, because } = decision;
  const state = action === "dispatch" ? "dispatched" : action === "hold" ? "held" : "skipped";
  const freeSinceAt =
    action === "hold" && decision.untilAt === null ? freeSince(before, nowAt) : before?.freeSinceAt;
  const sentAt = state === "dispatched" ? nowAt : before?.sentAt;
  return {
    destination: destination.id,
    channel: destination.channel,
    state,
    at: nowAt,
    reason: because.sentence,
    because: because.code,
    attempt: before?.attempt ?? 1,
    ...(before?.wantedFrom === undefined ? {} : { wantedFrom: before.wantedFrom }),
    heldSinceAt: before?.heldSinceAt ?? (state === "held" ? nowAt : null),
    ...(sentAt === undefined ? {} : { sentAt }),
    ...(freeSinceAt === undefined ? {} : { freeSinceAt }),
    ...(action === "hold" && decision.untilAt !== null ? { untilAt: decision.untilAt } : {}),
    ...(before?.unavailable === undefined ? {} : { unavailable: before.unavailable }),
  };
}

/** Since when a delivery could have gone, which the user's own rules or nothing at all hold now. */
function freeSince(before: Delivery | null, nowAt: number): number | undefined {
  const wasFree = before === null || (before.state !== "skipped" && before.untilAt === undefined);
  return wasFree ? before?.freeSinceAt : nowAt;
}

/** A held delivery goes on as decided, or is given up when nothing but the user's absence has kept it for too long. */
function expireOr(delivery: Delivery, decision: Decision | undefined, nowAt: number): Delivery {
  const freeSinceAt = delivery.freeSinceAt ?? delivery.heldSinceAt ?? nowAt;
  if (delivery.untilAt === undefined && nowAt - freeSinceAt >= IM_EXPIRES_MS) return expired(delivery, nowAt);
  if (decision === undefined)
    return { ...delivery, state: "skipped", at: nowAt, reason: "the destination was removed" };
  if (decision.action === "skip") return decided(decision, delivery, nowAt);
  if (delivery.retryAt !== undefined && nowAt < delivery.retryAt) return delivery;
  if (decision.action === "hold" && isStill(delivery, decision)) return delivery;
  return decided(decision, delivery, nowAt);
}

/** What is held again after a try keeps the reason of that, until the user's rules give it another time. */
function isStill(delivery: Delivery, { untilAt, because }: Decision & { action: "hold" }): boolean {
  if (delivery.because === undefined && untilAt === null) return true;
  return delivery.because === because.code && (delivery.untilAt ?? null) === untilAt;
}

function reported(delivery: Delivery, said: DeliveryReport): Delivery {
  // What the user has asked for again since is another message, of which the client has said nothing yet.
  if (said.attempt < (delivery.wantedFrom ?? 0)) return delivery;
  const isOfAnEarlierTry = said.attempt < delivery.attempt;
  if (isOfAnEarlierTry && (said.state === "refused" || said.state === "handed")) return delivery;
  if (said.state === "refused") return refused(delivery, said);
  if (RANK[said.state] <= RANK[delivery.state]) return delivery;
  const reason =
    said.state === "handed"
      ? "the user's server took it"
      : said.state === "received"
        ? "the client confirmed it"
        : said.state;
  const { because: _, ...rest } = delivery;
  return { ...rest, state: said.state, at: said.at, reason };
}

function refused(delivery: Delivery, said: DeliveryReport): Delivery {
  if (delivery.state !== "dispatched" && delivery.state !== "handed") return delivery;
  const why = `refused: ${said.condition ?? "no reason given"}`;
  const unavailable = (delivery.unavailable ?? 0) + (said.condition === "service-unavailable" ? 1 : 0);
  const { because: _, ...rest } = delivery;
  if (!said.mayRetry || unavailable >= MOST_UNAVAILABLE)
    return { ...rest, state: "refused", at: said.at, reason: why };
  const retryAt = said.at + backOffMs(delivery.attempt, RETRY, 1);
  const held = { ...heldAgain(delivery, why, said.at), retryAt };
  return unavailable === 0 ? held : { ...held, unavailable };
}

/** The delivery to be tried again, with a further attempt. */
export function heldAgain(delivery: Delivery, reason: string, nowAt: number): Delivery {
  const { repeats: _, because: __, untilAt: ___, digest: ____, ...rest } = delivery;
  const heldSinceAt = delivery.heldSinceAt ?? nowAt;
  return { ...rest, state: "held", at: nowAt, reason, attempt: delivery.attempt + 1, heldSinceAt };
}

/** The delivery to come again because the user wants it to: as another message, where one has gone before. */
export function wantedAgain(delivery: Delivery, reason: string, nowAt: number): Delivery {
  const held = heldAgain(delivery, reason, nowAt);
  return delivery.sentAt === undefined ? held : { ...held, wantedFrom: held.attempt };
}

/** The first time at once; a client that comes and goes all the time is sent it later and later. */
function doubted(delivery: Delivery, nowAt: number): Delivery {
  const held = heldAgain(delivery, "the client left before it confirmed", nowAt);
  if (delivery.attempt === 1) return held;
  return { ...held, retryAt: nowAt + backOffMs(delivery.attempt - 1, RETRY, 1) };
}

function withSteps(row: DeliveriesRow, deliveries: readonly Delivery[]): DeliveriesRow {
  const steps = deliveries.filter((delivery, at) => delivery !== row.deliveries[at]).map(stepOf);
  return { ...row, deliveries, trace: [...row.trace, ...steps].slice(-TRACE_STEPS) };
}

function stepOf({ at, destination, state, reason, because }: Delivery): TraceStep {
  return { at, destination, state, what: reason, ...(because === undefined ? {} : { because }) };
}
