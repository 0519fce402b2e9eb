/**
 * What Tidings itself says to one destination: the code that proves it, or a test. It is in no history; until its agent has
 * spoken of it, it goes again whenever the agent or the host has come up.
 */
import { isAgentChannel, itemId, type Notification, SYSTEM_SOURCE } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import type { DestinationRow } from "./rows.ts";

/** Dispatches the message that is under way to a destination, if there is one. */
export function saySystemMessage(turn: Turn, row: DestinationRow): void {
  const notification = systemMessage(row);
  if (notification === null || !isAgentChannel(row.channel)) return;
  const { channel, id: destination, address } = row;
  turn.dispatches.push({
    channel,
    dispatch: {
      user: turn.avatar,
      destination,
      address,
      attempt: 1,
      heldSinceAt: null,
      sourceTitle: "Tidings",
      notification,
    },
  });
}

/** The message that is under way to a destination; null when there is none. The same again has the same id. */
export function systemMessage({ id, code, message }: DestinationRow): Notification | null {
  if (message === undefined || (message.kind === "code" && code === null)) return null;
  const isCode = message.kind === "code";
  return {
    id: itemId(SYSTEM_SOURCE, `${id} ${message.kind} ${message.at}`),
    title: isCode ? `${code} is your code for Tidings` : "A test from Tidings",
    summary: isCode
      ? "Enter it on the page, under destinations, within ten minutes. If you have not asked for it, do nothing."
      : "You asked for it on the page. What you are subscribed to can reach you here.",
    link: null,
    author: null,
    publishedAt: null,
    source: SYSTEM_SOURCE,
    seq: 1,
    receivedAt: message.at,
  };
}
