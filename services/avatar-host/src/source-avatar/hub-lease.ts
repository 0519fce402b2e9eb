/**
 * What a source knows of its hub, and what it makes of that (WebSub). The feed is polled all the same, more seldom while the hub
 * sends; a hub that keeps quiet while polls find news is not relied on until it sends again.
 *
 *     named by the feed ──asked──▶ verified: lease ──three quarters over──▶ asked again
 *                          └──no answer for an hour──▶ asked again
 */
import type { CallArgs, Hub } from "@tidings/protocol";

/** What is asked for; the hub decides (seconds). */
export const LEASE_SECONDS = 10 * 24 * 3_600;
const ASK_AGAIN_MS = 3_600_000;
/** A hub that will not send is asked again after this (milliseconds). */
const DENIED_MS = 7 * 24 * 3_600_000;
/** After so many polls in a row that found what the hub had not sent, it is not relied on. */
const MOST_MISSES = 2;
/** Longest lease that is believed (milliseconds): after it the hub is asked whether it is still there. */
const LONGEST_LEASE_MS = 90 * 24 * 3_600_000;

export interface HubRow extends Hub {
  /** Not before this it is asked (again), epoch milliseconds. */
  readonly askAt: number;
  /** Until when it sends; null: it has not said that it will. */
  readonly leaseUntilAt: number | null;
  readonly misses: number;
}

/** What is known of the hub after a document that names `found` (undefined: there was no document). */
export function hubAfter(before: HubRow | null, found: Hub | null | undefined, nowAt: number): HubRow | null {
  if (found === undefined) return before;
  if (found === null) return null;
  if (before?.url === found.url && before.topic === found.topic) return before;
  return { ...found, askAt: nowAt, leaseUntilAt: null, misses: 0 };
}

/** The hub has been asked just now. */
export function asked(hub: HubRow, nowAt: number): HubRow {
  return { ...hub, askAt: nowAt + ASK_AGAIN_MS };
}

/** Whether the hub sends, and can be relied on. */
export function sends(hub: HubRow | null, nowAt: number): boolean {
  return hub !== null && hasLease(hub, nowAt) && hub.misses < MOST_MISSES;
}

/** Until when it has to be asked again, so that it goes on sending; null when it does not send. */
export function renewalAt(hub: HubRow | null): number | null {
  return hub === null || hub.leaseUntilAt === null ? null : hub.askAt;
}

/** A poll has found what the hub ought to have sent. */
export function missed(hub: HubRow, nowAt: number): HubRow {
  return hasLease(hub, nowAt) ? { ...hub, misses: hub.misses + 1 } : hub;
}

/** What the hub asks is agreed to or not, and what is known then. */
export function answerHub(
  hub: HubRow | null,
  { mode, topic, leaseSeconds }: CallArgs<"hubIntent">,
  nowAt: number,
): { readonly agreed: boolean; readonly hub: HubRow | null } {
  const isOurs = hub !== null && hub.topic === topic;
  if (mode === "unsubscribe") return { agreed: !isOurs, hub };
  if (!isOurs) return { agreed: false, hub };
  if (mode === "denied")
    return { agreed: true, hub: { ...hub, leaseUntilAt: null, askAt: nowAt + DENIED_MS } };
  const leaseMs = Math.min(LONGEST_LEASE_MS, leaseSeconds * 1_000);
  if (leaseMs === 0) return { agreed: false, hub };
  return {
    agreed: true,
    hub: { ...hub, leaseUntilAt: nowAt + leaseMs, askAt: nowAt + leaseMs * 0.75, misses: 0 },
  };
}

function hasLease({ leaseUntilAt }: HubRow, nowAt: number): boolean {
  return leaseUntilAt !== null && leaseUntilAt > nowAt;
}
