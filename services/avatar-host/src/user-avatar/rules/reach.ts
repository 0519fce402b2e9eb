/** Who can be reached where, as presence says it. */
import { durationMs, type Show, type Step } from "@tidings/protocol";
import type { DestinationRow, PresenceRow, ResourceRow } from "../rows.ts";

/** Where a user is, as the avatar knows it. */
export interface Whereabouts {
  readonly presence: PresenceRow;
  /** The present life of the agent; presence of an earlier one counts for nothing. */
  readonly agentEpoch: number;
  /** How the user stands at the pages that are open; undefined: none is. */
  readonly pages?: Standing | undefined;
  readonly pausedUntilAt: number | null;
}

/** How present a person is who shows this; 0 = not at all. In between RFC 6121 leaves the order to us. */
export const PRESENT: Readonly<Record<Show, number>> = {
  offline: 0,
  dnd: 1,
  xa: 2,
  away: 3,
  available: 4,
  chat: 5,
};

/** The resource of an address that is most present, or null when none can receive. A negative priority never receives. */
export function bestResource(presence: PresenceRow, agentEpoch: number, address: string): ResourceRow | null {
  if (presence.agentEpoch !== agentEpoch) return null;
  let best: ResourceRow | null = null;
  for (const resource of Object.values(presence.addresses[address] ?? {})) {
    if (resource.show === "offline" || resource.priority < 0) continue;
    if (best === null || PRESENT[resource.show] > PRESENT[best.show]) best = resource;
  }
  return best;
}

/** How a user shows at one address, or at all of them together. */
export interface Standing {
  readonly show: Show;
  /** Since when nothing was done; null = something is being done now, or nobody says. */
  readonly idleSinceAt: number | null;
}

const GONE: Standing = { show: "offline", idleSinceAt: null };

/** The standing at one IM address. */
export function standingAt({ presence, agentEpoch }: Whereabouts, address: string): Standing {
  return bestResource(presence, agentEpoch, address) ?? GONE;
}

/** The standing at a destination: there, where somebody tells of it, else that of `user`. */
export function standingFor(
  whereabouts: Whereabouts,
  { channel, address }: Pick<DestinationRow, "channel" | "address">,
  user: Standing,
): Standing {
  if (channel === "web") return whereabouts.pages ?? GONE;
  return channel === "im" ? standingAt(whereabouts, address) : user;
}

/** The standing of the user, wherever they are most present among their IM addresses. */
export function standingOf(whereabouts: Whereabouts, destinations: readonly DestinationRow[]): Standing {
  let best = GONE;
  for (const { channel, address } of destinations) {
    if (channel !== "im") continue;
    const standing = standingAt(whereabouts, address);
    if (PRESENT[standing.show] > PRESENT[best.show]) best = standing;
  }
  return best;
}

/** Whether a condition holds: true, or when it will by the clock alone (epoch milliseconds), or null when only news can tell. */
export type Holds = (standing: Standing, nowAt: number) => true | number | null;

/** The `when` of a step. */
export function compileCondition(when: Step["when"]): Holds {
  if (when === undefined) return () => true;
  const shows = when.presence === undefined ? null : new Set<Show>(when.presence);
  const underMs = when.idleUnder === undefined ? null : durationMs(when.idleUnder);
  const forMs = when.idleFor === undefined ? null : durationMs(when.idleFor);
  return ({ show, idleSinceAt }, nowAt) => {
    if (shows !== null && !shows.has(show)) return null;
    const isGone = show === "offline";
    if (underMs !== null && (isGone || (idleSinceAt !== null && nowAt - idleSinceAt >= underMs))) return null;
    if (forMs === null || isGone) return true;
    if (idleSinceAt === null) return null;
    return nowAt - idleSinceAt >= forMs ? true : idleSinceAt + forMs;
  };
}
