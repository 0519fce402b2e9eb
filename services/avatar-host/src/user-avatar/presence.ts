/** What a user's clients show, as one life of the agent has told it. Pure. */
import type { PresenceReport, PresenceView } from "@tidings/protocol";
import type { PresenceRow, ResourceRow } from "./rows.ts";

/** Most resources that are kept per address; the one heard of longest ago gives way. */
const MOST_RESOURCES = 20;

export const NO_PRESENCE: PresenceRow = { agentEpoch: 0, addresses: {} };

/** Presence after a report; the same value when the report is stale or says nothing new. */
export function withReport(presence: PresenceRow, said: PresenceReport, agentEpoch: number): PresenceRow {
  if (agentEpoch < presence.agentEpoch) return presence;
  const addresses = agentEpoch > presence.agentEpoch ? {} : presence.addresses;
  const before = addresses[said.address] ?? {};
  const known = before[said.resource];
  if (known !== undefined && (known.order >= said.order || isNoNews(known, said))) return presence;
  return { agentEpoch, addresses: { ...addresses, [said.address]: withResource(before, said) } };
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

/** False when what `said` is leaving cannot have taken a message with it, as it was known not to be there, or not to receive. */
export function mayHaveTaken(before: PresenceRow, said: PresenceReport, agentEpoch: number): boolean {
  const resources = before.agentEpoch === agentEpoch ? before.addresses[said.address] : undefined;
  if (resources === undefined) return true;
  const canReceive = ({ show, priority }: ResourceRow) => show !== "offline" && priority >= 0;
  if (said.resource === "") return Object.values(resources).some(canReceive);
  const known = resources[said.resource];
  return known === undefined || canReceive(known);
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
