/** What is posted: JSON in the form of Standard Webhooks, `{type, timestamp, data}`. Times are RFC 3339. */
import { type Dispatch, type Notification, SYSTEM_SOURCE } from "@tidings/protocol";

/** `message` is Tidings' own, such as a code; `digest` holds several notifications in `items`. */
export type PayloadType = "notification" | "digest" | "message";

export interface Payload {
  readonly type: PayloadType;
  readonly timestamp: string;
  readonly data: object;
}

/** The payload for `dispatch`. */
export function payloadOf({ notification, sourceTitle, heldSinceAt, members }: Dispatch): Payload {
  const timestamp = time(notification.receivedAt);
  if (members !== undefined) {
    const items = members.map(({ receivedAt, ...one }) => ({ ...one, receivedAt: time(receivedAt) }));
    return { type: "digest", timestamp, data: { id: notification.id, title: notification.title, items } };
  }
  if (notification.source === SYSTEM_SOURCE) {
    const { id, title, summary } = notification;
    return { type: "message", timestamp, data: { id, title, summary } };
  }
  const heldSince = heldSinceAt === null ? null : time(heldSinceAt);
  return { type: "notification", timestamp, data: { ...itemOf(notification), sourceTitle, heldSince } };
}

function itemOf({ seq: _, receivedAt, publishedAt, answerUntilAt, ...item }: Notification): object {
  return {
    ...item,
    receivedAt: time(receivedAt),
    publishedAt: publishedAt === null ? null : time(publishedAt),
    ...(answerUntilAt === undefined ? {} : { answerUntil: time(answerUntilAt) }),
  };
}

function time(at: number): string {
  return new Date(at).toISOString();
}
