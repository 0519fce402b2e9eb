/** What a user's clients show, as one life of the agent has told it. Pure. */
import type { PresenceReport, PresenceView } from "@tidings/protocol";
import type { PresenceRow, ResourceRow, ResourcesByAddress } from "./rows.ts";

/** Most resources that are kept per address; the one heard of longest ago gives way. */
const MOST_RESOURCES = 20;

export const NO_PRESENCE: PresenceRow = { agentEpoch: 0, addresses: {} };

/** Presence after a report; the same value when the report is stale or says nothing new. */
export function withReport(presence: PresenceRow, said: PresenceReport, agentEpoch: number): PresenceRow {
  if (agentEpoch < presence.agentEpoch) return presence;
  const isNewLife = agentEpoch > presence.agentEpoch;
  const addresses = isNewLife ? {} : presence.addresses;
  const before = addresses[said.address] ?? {};
  const known = before[said.resource];
  if (known !== undefined && (known.order >= said.order || isNoNews(known, said))) return presence;
  const earlier = isNewLife ? { ...presence.earlier, ...presence.addresses } : presence.earlier;
  return {
    agentEpoch,
    addresses: { ...addresses, [said.address]: withResource(before, said) },
    ...without(earlier, said.address),
  };
}

/** Who is present now, for people to see; presence of an earlier life of the agent counts for nothing. */
export function presenceView(presence: PresenceRow, agentEpoch: number): PresenceView[] {
  if (presence.agentEpoch !== agentEpoch) return [];
  return Object.entries(presence.addresses).flatMap(([address, resources]) =>
    Object.entries(resources)
      .filter(([, { show }]) => show !== "offline")
      .map(([resource, { show, priority, idleSinceAt }]) => ({
        address,
        resource,
        show,
        priority,
        idleSinceAt,
      })),
  );
}

/** True when somebody is there at any address. */
export function isAnyonePresent(presence: PresenceRow): boolean {
  return Object.values(presence.addresses).some((resources) =>
    Object.values(resources).some(({ show }) => show !== "offline"),
  );
}

/**
 * Whether a client may have left and taken a message with it. One that says so has, unless it was known not to be there, or
 * not to receive. And when a new life of the agent first hears another client at an address than its last one knew there,
 * those may be gone without a word: the user's server was started again.
 */
export function mayHaveTaken(before: PresenceRow, said: PresenceReport, agentEpoch: number): boolean {
  const isNewLife = agentEpoch > before.agentEpoch;
  if (said.show !== "offline") {
    const earlier = (isNewLife ? before.addresses : before.earlier)?.[said.address] ?? {};
    return earlier[said.resource] === undefined && Object.values(earlier).some(canReceive);
  }
  const resources = isNewLife ? undefined : before.addresses[said.address];
  if (resources === undefined) return true;
  if (said.resource === "") return Object.values(resources).some(canReceive);
  const known = resources[said.resource];
  return known === undefined || canReceive(known);
}

function canReceive({ show, priority }: ResourceRow): boolean {
  return show !== "offline" && priority >= 0;
}

function without(
  earlier: ResourcesByAddress | undefined,
  address: string,
): { readonly earlier?: ResourcesByAddress } {
  const { [address]: _, ...rest } = earlier ?? {};
  return Object.keys(rest).length === 0 ? {} : { earlier: rest };
}

/** Clients say again what they have said, some of them often; it is not written down again. */
function isNoNews(known: ResourceRow, said: PresenceReport): boolean {
  const isOfOne = said.resource !== "";
  return (
    isOfOne &&
    known.show === said.show &&
    known.priority === said.priority &&
    known.idleSinceAt === said.idleSinceAt
  );
}

type Resources = Readonly<Record<string, ResourceRow>>;

function withResource(before: Resources, said: PresenceReport): Resources {
  const { show, priority, idleSinceAt, order } = said;
  if (said.resource === "" && show === "offline") return allOffline(before, order);
  const after = { ...before, [said.resource]: { show, priority, idleSinceAt, order } };
  const oldest = Object.entries(after).sort(([, a], [, b]) => b.order - a.order);
  return Object.fromEntries(oldest.slice(0, MOST_RESOURCES));
}

/** A report for the whole address: whatever was heard before it is gone. */
function allOffline(before: Resources, order: number): Resources {
  const later = Object.entries(before).filter(([, resource]) => resource.order > order);
  return Object.fromEntries([
    ...later,
    ["", { show: "offline" as const, priority: 0, idleSinceAt: null, order }],
  ]);
}
