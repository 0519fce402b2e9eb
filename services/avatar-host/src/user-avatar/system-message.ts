/**
 * What Tidings itself says to one destination: the code that proves it, a test, or that another one cannot be used any more. It
 * is in no history; until its agent has spoken of it, it goes again whenever the agent or the host has come up.
 */
import {
  ITEM_LIMITS,
  isAgentChannel,
  itemId,
  type Notification,
  SYSTEM_SOURCE,
  shorten,
} from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { type CoreRow, type DestinationRow, type OwnMessage, placeOf } from "./rows.ts";

/** Dispatches the message that is under way to a destination, if there is one. */
export function saySystemMessage(turn: Turn, row: DestinationRow): void {
  const notification = systemMessage(row);
  if (notification === null || !isAgentChannel(row.channel)) return;
  const { channel, id: destination } = row;
  turn.dispatches.push({
    channel,
    dispatch: {
      user: turn.avatar,
      destination,
      ...placeOf(row),
      attempt: 1,
      heldSinceAt: null,
      sourceTitle: "Tidings",
      notification,
    },
  });
}

/** Dispatches what is to be said by `after` and was not by `before`. */
export function sayNewMessages(turn: Turn, before: CoreRow, after: CoreRow): void {
  const known = new Set(before.destinations.map(({ message }) => message));
  for (const row of after.destinations) if (!known.has(row.message)) saySystemMessage(turn, row);
}

/** The message that is under way to a destination; null when there is none. The same again has the same id. */
export function systemMessage({ id, code, message }: DestinationRow): Notification | null {
  if (message === undefined || (message.kind === "code" && code === null)) return null;
  return {
    id: itemId(SYSTEM_SOURCE, `${id} ${message.kind} ${message.at}`),
    ...textOf(message, code),
    link: null,
    author: null,
    publishedAt: null,
    source: SYSTEM_SOURCE,
    seq: 1,
    receivedAt: message.at,
  };
}

function textOf(message: OwnMessage, code: string | null): Pick<Notification, "title" | "summary"> {
  switch (message.kind) {
    case "code":
      return {
        title: `${code} is your code for Tidings`,
        summary:
          "Enter it on the page, under destinations, within ten minutes. If you have not asked for it, do nothing.",
      };
    case "test":
      return {
        title: "A test from Tidings",
        summary: "You asked for it on the page. What you are subscribed to can reach you here.",
      };
    case "notice":
      return {
        // In chat there is nothing but the title.
        title: shorten(
          `Nothing is sent to ${message.address} any more: ${message.problem}`,
          ITEM_LIMITS.title,
        ),
        summary: "When it works again, verify it anew on the page, under destinations.",
      };
  }
}
