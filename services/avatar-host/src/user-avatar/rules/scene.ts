/** Values for the tests of routing. */
import type { Channel, Notification, Show } from "@tidings/protocol";
import type { Delivery, DestinationRow, PresenceRow } from "../rows.ts";
import type { Progress } from "./decide.ts";

/** A notification that has just come, at time 0. */
export const NEW: Progress = {
  takenAt: 0,
  deliveries: [],
  duplicateOf: null,
  burstUntilAt: null,
  snoozedUntilAt: null,
  isRead: false,
  isAcknowledged: false,
  smsSentToday: 0,
  busy: new Set(),
};

export function destinationAt(channel: Channel, address: string, id: string = channel): DestinationRow {
  const rest = { code: null, codeUntilAt: null, triesLeft: 0, problem: null } as const;
  return { ...rest, id, channel, address, state: "verified" };
}

export function aNotification(rest: Partial<Notification> = {}): Notification {
  return {
    id: "0".repeat(32),
    title: "Two rooms, quiet street",
    link: null,
    summary: "650 a month",
    author: null,
    publishedAt: null,
    source: "rss.1",
    seq: 1,
    receivedAt: 0,
    ...rest,
  };
}

/** One resource at each address, in the first life of the agent. */
export function aPresence(
  shows: Readonly<Record<string, Show>>,
  idleSinceAt: number | null = null,
): PresenceRow {
  const resources = Object.entries(shows).map(([address, show]) => [
    address,
    { phone: { show, priority: 0, idleSinceAt, order: 1 } },
  ]);
  return { agentEpoch: 1, addresses: Object.fromEntries(resources) };
}

export function aDelivery({ id, channel }: DestinationRow, state: Delivery["state"], at: number): Delivery {
  const isSent = state !== "held" && state !== "skipped";
  const rest = { reason: "", attempt: 1, heldSinceAt: null } as const;
  return { destination: id, channel, state, at, ...rest, ...(isSent ? { sentAt: at } : {}) };
}
