/** What went to one of the user's addresses, as they see it there: message by message. */
import { CallError, type Notification, notificationOfMessage } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import {
  type DeliveriesRow,
  type Delivery,
  type DestinationRow,
  DIGEST,
  type DigestRow,
  HISTORY,
  INDEX,
  PENDING,
  SETTLED,
} from "./rows.ts";

/** How far back the last message is looked for: what was put off comes again later than what is newer. */
const LOOKED_AT = 200;

export interface SentMessage {
  /** The id of the notification, or of the digest. */
  readonly id: string;
  /** Oldest first, never empty. */
  readonly notifications: readonly Notification[];
}

/** The message `message` to `destination`, or the last that went there (null). Throws `item-not-found`. */
export function sentMessage(turn: Turn, destination: DestinationRow, message: string | null): SentMessage {
  const id = message === null ? lastAt(turn, destination.id) : notificationOfMessage(message);
  const notifications = id === null ? [] : notificationsOf(turn, destination.id, id);
  if (id !== null && notifications.length > 0) return { id, notifications };
  throw new CallError(
    "cancel",
    "item-not-found",
    message === null
      ? "Nothing has come here yet that this could be about."
      : "That is no notification of yours. Reply to one, or send the word alone for the last one.",
  );
}

function notificationsOf(turn: Turn, destination: string, id: string): Notification[] {
  const number = turn.text(INDEX + id);
  const digest = number === undefined ? turn.get<DigestRow>(DIGEST + id) : undefined;
  const numbers = number !== undefined ? [number] : digest?.destination === destination ? digest.numbers : [];
  return numbers
    .map((one) => turn.get<Notification>(HISTORY + one))
    .filter((notification) => notification !== undefined);
}

/** The id of what went to `destination` last; of several at once, the newest. */
function lastAt(turn: Turn, destination: string): string | null {
  let last: { readonly id: string; readonly sentAt: number } | null = null;
  for (const { key, value } of turn.list(withPrefix(HISTORY, { limit: LOOKED_AT, reverse: true }))) {
    const sent = deliveryAt(turn, key.slice(HISTORY.length), destination);
    if (sent?.sentAt === undefined || (last !== null && sent.sentAt <= last.sentAt)) continue;
    last = { id: sent.digest ?? (JSON.parse(value) as Notification).id, sentAt: sent.sentAt };
  }
  return last?.id ?? null;
}

function deliveryAt(turn: Turn, number: string, destination: string): Delivery | undefined {
  const row = turn.get<DeliveriesRow>(PENDING + number) ?? turn.get<DeliveriesRow>(SETTLED + number);
  return row?.deliveries.find((one) => one.destination === destination);
}
