import { bareJid, type Element, type PresenceReport, splitJid } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

const MAX_RESOURCE_CHARS = 1_023;

/**
 * What a presence stanza from a user's account says (RFC 6121 §4.7): available with its show element, or unavailable, or
 * an error, which means that none of the address's resources can be reached. Null for every other type. `order` grows with each stanza.
 */
export function presenceReport(presence: Element, order: number): PresenceReport | null {
  const { from, to, type } = presence.attrs as Record<string, string | undefined>;
  if (from === undefined || to === undefined) return null;
  const isAvailable = type === undefined;
  if (!isAvailable && type !== "unavailable" && type !== "error") return null;
  const { resource } = splitJid(from);
  return {
    kind: "presence",
    user: splitJid(to).local,
    address: bareJid(from),
    resource: type === "error" ? "" : resource.slice(0, MAX_RESOURCE_CHARS),
    show: isAvailable ? showOf(presence) : "offline",
    priority: isAvailable ? priorityOf(presence) : 0,
    idleSinceAt: isAvailable ? idleSinceAt(presence) : null,
    order,
  } as PresenceReport;
}

/** All resources of `address` are gone. */
export function offlineReport(user: string, address: string, order: number): PresenceReport {
  return {
    kind: "presence",
    user,
    address,
    resource: "",
    show: "offline",
    priority: 0,
    idleSinceAt: null,
    order,
  } as PresenceReport;
}

function showOf(presence: Element): string {
  const show = presence.getChildText("show");
  return show === "chat" || show === "away" || show === "xa" || show === "dnd" ? show : "available";
}

/** RFC 6121 §4.7.2.3: a whole number from -128 to 127, 0 when there is none or it is wrong. */
function priorityOf(presence: Element): number {
  const priority = Number((presence.getChildText("priority") ?? "0").trim());
  return Number.isInteger(priority) && priority >= -128 && priority <= 127 ? priority : 0;
}

/** XEP-0319: since when nobody has touched the device. */
function idleSinceAt(presence: Element): number | null {
  const since = Date.parse(presence.getChild("idle", NS.idle)?.attrs.since ?? "");
  return Number.isNaN(since) ? null : since;
}
