/**
 * Where one notification goes now, and why.
 *
 *     acted on, filtered, muted, the same as before ──▶ skip
 *     paused, snoozed, quiet hours, digest, burst ────▶ hold until they end
 *     else the ladder ──▶ dispatch where the user can be reached, hold or skip elsewhere
 *     held everywhere ──▶ the digest of what is held
 *
 * `decide` is pure: rules, destinations, presence, progress and clock come in as values. The avatar, the simulator and the
 * tests use this same function.
 */
import type { Notification, Priority } from "@tidings/protocol";
import { type Delivery, type DestinationRow, PAGE } from "../rows.ts";
import { Climb, isUnderWay, isUntried, type Outcome } from "./climb.ts";
import type { Whereabouts } from "./reach.ts";
import { type Reason, reasons } from "./reason.ts";
import { type Route, type Routing, routeOf } from "./routing.ts";
import { mayUseSms } from "./sms-budget.ts";

/** Why several notifications come together in one message, and how many at most. */
export interface Bundle {
  readonly why: "digest" | "burst" | "catchUp" | "held";
  readonly most: number;
}

/** Most in one message where the rules name no number. */
const BUNDLE_MOST = 50;

export type Decision = { readonly destination: DestinationRow } & (
  | { readonly action: "dispatch"; readonly because: Reason; readonly bundle: Bundle | null }
  | { readonly action: "hold"; readonly untilAt: number | null; readonly because: Reason }
  | { readonly action: "skip"; readonly because: Reason }
);

/** A notification as a user has subscribed to it. */
export interface Subject {
  readonly notification: Notification;
  readonly priority: Priority;
}

/** What has become of a notification so far, and what was found when it came. Times are epoch milliseconds. */
export interface Progress {
  readonly takenAt: number;
  readonly deliveries: readonly Delivery[];
  /** The title of one that was the same, or null. */
  readonly duplicateOf: string | null;
  /** It came in a burst whose window ends then. */
  readonly burstUntilAt: number | null;
  readonly snoozedUntilAt: number | null;
  /** The user has read it on the page. */
  readonly isRead: boolean;
  /** The user has acknowledged it. */
  readonly isAcknowledged: boolean;
  readonly smsSentToday: number;
  /** Destinations at which earlier ones wait in line. */
  readonly busy: ReadonlySet<string>;
}

/** Decides for every verified destination, in the user's order. The same input gives the same decisions and reasons. */
export function decide(
  subject: Subject,
  routing: Routing,
  destinations: readonly DestinationRow[],
  whereabouts: Whereabouts,
  progress: Progress,
  nowAt: number,
): Decision[] {
  const route = routeOf(subject.notification, subject.priority, routing);
  const verified = withPage(
    destinations.filter(({ state }) => state === "verified"),
    route,
    progress,
  );
  const skipped = skipReason(route, verified, progress);
  if (skipped !== null)
    return verified.map((destination) => ({ destination, action: "skip", because: skipped }));
  const held = holdReason(route, routing, whereabouts, progress, nowAt);
  if (held !== null) return verified.map((destination) => holdOne(destination, held, verified, progress));
  return climb(route, routing, verified, whereabouts, progress, nowAt);
}

/** The user's pages are a destination where the ladder leads there, or where they have shown it. */
function withPage(
  destinations: readonly DestinationRow[],
  { ladder }: Route,
  { deliveries }: Progress,
): readonly DestinationRow[] {
  const isOnLadder = ladder.some((step) => step.kind === "rung" && step.to === PAGE.channel);
  const isMeant = isOnLadder || deliveries.some(({ channel }) => channel === PAGE.channel);
  return isMeant ? [...destinations, PAGE] : destinations;
}

function skipReason(route: Route, verified: readonly DestinationRow[], progress: Progress): Reason | null {
  const acted = progress.deliveries.find(({ state }) => state === "acted");
  if (acted !== undefined) return reasons.acted(addressOf(acted.destination, verified));
  if (progress.isAcknowledged) return reasons.acknowledged();
  if (route.isFiltered) return reasons.filtered();
  if (route.muted !== null && progress.takenAt < route.muted.untilAt) return reasons.muted(route.muted.by);
  return progress.duplicateOf === null ? null : reasons.duplicate(progress.duplicateOf);
}

interface Held {
  readonly untilAt: number;
  readonly because: Reason;
}

/** The user's own wish to be left alone for now. A pause and a snooze hold everything, the rest what is not urgent. */
function holdReason(
  { priority, digest }: Route,
  routing: Routing,
  { pausedUntilAt }: Whereabouts,
  progress: Progress,
  nowAt: number,
): Held | null {
  const { snoozedUntilAt, burstUntilAt, takenAt } = progress;
  const until = (untilAt: number | null, reason: (untilAt: number) => Reason): Held | null =>
    untilAt !== null && nowAt < untilAt ? { untilAt, because: reason(untilAt) } : null;
  const byUser = until(pausedUntilAt, reasons.paused) ?? until(snoozedUntilAt, reasons.snoozed);
  if (byUser !== null || priority === "urgent") return byUser;
  return (
    until(routing.quietUntil(nowAt), reasons.quiet) ??
    until(digest?.nextAfter(takenAt) ?? null, reasons.digest) ??
    until(burstUntilAt, reasons.burst)
  );
}

/** What was left out because it is under way elsewhere stays left out. */
function holdOne(
  destination: DestinationRow,
  { untilAt, because }: Held,
  verified: readonly DestinationRow[],
  { deliveries }: Progress,
): Decision {
  const wasSkipped = deliveries.some((one) => one.destination === destination.id && one.state === "skipped");
  const underWay = wasSkipped ? deliveries.find(isUnderWay) : undefined;
  if (underWay === undefined) return { destination, action: "hold", untilAt, because };
  return {
    destination,
    action: "skip",
    because: reasons.reachedElsewhere(addressOf(underWay.destination, verified)),
  };
}

function climb(
  route: Route,
  routing: Routing,
  verified: readonly DestinationRow[],
  whereabouts: Whereabouts,
  progress: Progress,
  nowAt: number,
): Decision[] {
  const { deliveries, isRead, smsSentToday, busy } = progress;
  const { mostPerDay } = routing.rules.sms;
  const { beganAt, bundle } = beginning(route, routing, progress);
  const outcomes = new Climb({
    ladder: route.ladder,
    destinations: verified,
    deliveries,
    whereabouts,
    isRead,
    busy,
    beganAt,
    nowAt,
    smsRefusal: mayUseSms(route.priority, smsSentToday, mostPerDay) ? null : reasons.smsBudget(mostPerDay),
  }).outcomes();
  const decisions = verified.map((destination): Decision => {
    const outcome = outcomes.get(destination.id) ?? missing(destination, route, verified, deliveries);
    return outcome.action === "dispatch" ? { destination, ...outcome, bundle } : { destination, ...outcome };
  });
  return withHeldDigest(decisions, routing, progress, nowAt);
}

/** Not on the ladder, or tried already: nothing is to be done there. */
function missing(
  { id }: DestinationRow,
  { priority }: Route,
  verified: readonly DestinationRow[],
  deliveries: readonly Delivery[],
): Outcome {
  const own = deliveries.find(({ destination }) => destination === id);
  const isTried = own !== undefined && !isUntried(own);
  const because = isTried ? reasons.reachedElsewhere(addressOf(id, verified)) : reasons.notOnLadder(priority);
  return { action: "skip", because };
}

/** From when the ladder counts, and whether what comes now comes together with others. */
function beginning(
  { priority, digest }: Route,
  routing: Routing,
  { takenAt, burstUntilAt }: Progress,
): { beganAt: number; bundle: Bundle | null } {
  if (priority === "urgent") return { beganAt: takenAt, bundle: null };
  if (digest !== null)
    return { beganAt: digest.nextAfter(takenAt), bundle: { why: "digest", most: digest.most } };
  if (burstUntilAt !== null) return { beganAt: burstUntilAt, bundle: { why: "burst", most: BUNDLE_MOST } };
  const quietUntilAt = routing.quietUntil(takenAt);
  return quietUntilAt === null
    ? { beganAt: takenAt, bundle: null }
    : { beganAt: quietUntilAt, bundle: { why: "catchUp", most: BUNDLE_MOST } };
}

/** What nobody has yet goes with the next digest of what is held, where the ladder itself does not lead there. */
function withHeldDigest(
  decisions: readonly Decision[],
  { heldDigest }: Routing,
  { takenAt, deliveries }: Progress,
  nowAt: number,
): Decision[] {
  const isSent = deliveries.some(isUnderWay) || decisions.some(({ action }) => action === "dispatch");
  if (heldDigest === null || isSent) return [...decisions];
  const at = decisions.findIndex(
    ({ destination, because }) => destination.channel === heldDigest.to && because.code === "notOnLadder",
  );
  const target = decisions[at]?.destination;
  if (target === undefined) return [...decisions];
  const untilAt = heldDigest.nextAfter(takenAt);
  if (nowAt < untilAt)
    return decisions.with(at, {
      destination: target,
      action: "hold",
      untilAt,
      because: reasons.heldDigest(untilAt),
    });
  const elsewhere = reasons.reachedElsewhere(target.address);
  return decisions
    .map(
      (decision): Decision =>
        decision.action === "hold"
          ? { destination: decision.destination, action: "skip", because: elsewhere }
          : decision,
    )
    .with(at, {
      destination: target,
      action: "dispatch",
      because: reasons.bundled(target.address, "digest of what was held"),
      bundle: { why: "held", most: heldDigest.most },
    });
}

function addressOf(id: string, destinations: readonly DestinationRow[]): string {
  return destinations.find((destination) => destination.id === id)?.address ?? id;
}
