/** States in words, and what they mean: held, delivered, failed or asleep. */
import { clockOf } from "../times.ts";
import type { Delivery, Item, Resource } from "../types.ts";

export type Meaning = "held" | "delivered" | "failed" | "asleep";

const CHANNELS: Readonly<Record<string, string>> = {
  im: "IM",
  sms: "SMS",
  email: "e-mail",
  web: "page",
  feed: "feed",
  webhook: "webhook",
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  held: "held",
  dispatched: "held",
  snoozed: "held",
  handed: "delivered",
  received: "delivered",
  displayed: "delivered",
  acted: "delivered",
  read: "delivered",
  acked: "delivered",
  active: "delivered",
  verified: "delivered",
  refused: "failed",
  expired: "failed",
  failing: "failed",
  ended: "failed",
  disabled: "failed",
};

export function channelWord(channel: string): string {
  return CHANNELS[channel] ?? channel;
}

export function meaningOf(state: string): Meaning {
  return MEANINGS[state] ?? "asleep";
}

/** "held: you are away", "IM 14:02 → read": what became of it, in a line. */
export function deliveryLine({ state, deliveries }: Item): string {
  const told = deliveries.filter((one) => one.state !== "skipped").map(stepWord);
  const own = ["read", "acked", "snoozed"].includes(state) ? [OWN[state] ?? state] : [];
  const all = [...told, ...own];
  return all.length === 0 ? "in your history" : all.join(" → ");
}

const OWN: Readonly<Record<string, string>> = { read: "read", acked: "done", snoozed: "snoozed" };

function stepWord({ channel, state, at, reason }: Delivery): string {
  if (state === "held") return `held: ${reason}`;
  if (state === "refused" || state === "expired") return `${channelWord(channel)} ${state}: ${reason}`;
  return `${channelWord(channel)} ${state === "dispatched" ? "on its way" : state} ${clockOf(at)}`;
}

/** What Tidings believes of somebody, in a line. */
export function presenceLine(presence: readonly Resource[]): string {
  const [best] = [...presence].sort((a, b) => rank(a.show) - rank(b.show));
  if (best === undefined) return "you: not there";
  const idle = best.idleSince === null ? "" : `, idle since ${clockOf(best.idleSince)}`;
  const where = isName(best.resource) ? ` on ${best.resource}` : "";
  return `you: ${best.show === "available" ? "here" : best.show}${where}${idle}`;
}

/** Servers make up a resource for who names none: long, and mostly digits. */
function isName(resource: string): boolean {
  return resource.length <= 24 && !/\d{6}/.test(resource);
}

function rank(show: string): number {
  return ["chat", "available", "dnd", "away", "xa", "offline"].indexOf(show);
}
