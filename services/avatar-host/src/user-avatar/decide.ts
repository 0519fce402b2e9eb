/**
 * Where one notification goes now.
 *
 *     nobody reachable ──▶ held at each destination
 *     somebody reachable ─▶ dispatched where the user is most present, skipped elsewhere
 *
 * `decide` is pure: destinations, presence and clock come in as values, and each decision has its reason.
 */
import type { Show } from "@tidings/protocol";
import type { DestinationRow, PresenceRow, ResourceRow } from "./rows.ts";

export interface Decision {
  readonly destination: DestinationRow;
  readonly action: "dispatch" | "hold" | "skip";
  readonly reason: string;
}

export interface Whereabouts {
  readonly presence: PresenceRow;
  /** The present life of the agent; presence of an earlier one counts for nothing. */
  readonly agentEpoch: number;
  readonly pausedUntilAt: number | null;
}

/** How present a person is who shows this; 0 = not at all. In between RFC 6121 leaves the order to us. */
const PRESENT: Readonly<Record<Show, number>> = { offline: 0, dnd: 1, xa: 2, away: 3, available: 4, chat: 5 };

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

/** Decides for every verified destination, in the order in which the user has them. `nowAt` is epoch milliseconds. */
export function decide(
  destinations: readonly DestinationRow[],
  whereabouts: Whereabouts,
  nowAt: number,
): Decision[] {
  const verified = destinations.filter(({ state }) => state === "verified");
  const { pausedUntilAt, presence, agentEpoch } = whereabouts;
  if (pausedUntilAt !== null && pausedUntilAt > nowAt) {
    const reason = `paused until ${new Date(pausedUntilAt).toISOString()}`;
    return verified.map((destination) => ({ destination, action: "hold", reason }));
  }
  const reachable = verified.map(({ address }) => bestResource(presence, agentEpoch, address));
  const chosen = mostPresent(reachable);
  return verified.map((destination, at) =>
    decideOne(destination, at, chosen, reachable[at] ?? null, verified),
  );
}

function mostPresent(reachable: readonly (ResourceRow | null)[]): number | null {
  let chosen: number | null = null;
  for (const [at, resource] of reachable.entries()) {
    if (resource === null) continue;
    const rival = chosen === null ? null : (reachable[chosen] ?? null);
    if (rival === null || PRESENT[resource.show] > PRESENT[rival.show]) chosen = at;
  }
  return chosen;
}

function decideOne(
  destination: DestinationRow,
  at: number,
  chosen: number | null,
  resource: ResourceRow | null,
  all: readonly DestinationRow[],
): Decision {
  if (chosen === null) return { destination, action: "hold", reason: `${destination.address} is offline` };
  if (at === chosen)
    return { destination, action: "dispatch", reason: `${destination.address} is ${resource?.show}` };
  const where = all[chosen]?.address ?? "another address";
  const reason =
    resource === null ? `${destination.address} is offline; reached at ${where}` : `reached at ${where}`;
  return { destination, action: "skip", reason };
}
