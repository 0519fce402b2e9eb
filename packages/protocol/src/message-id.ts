/**
 * The id under which a notification goes to a chat client: its own, or with the try from which on it is another message, for
 * a client that drops what it has under an id already must show what its user wants to have again.
 *
 *     0123…ef       the message, and each repeat of it
 *     0123…ef.3     the message that the user has asked for since, and each repeat of that
 */
const AGAIN = /\.[1-9]\d{0,8}$/;

/** The message id of `notification`; `wantedFrom` as in a dispatch. */
export function messageId(notification: string, wantedFrom?: number): string {
  return wantedFrom === undefined ? notification : `${notification}.${wantedFrom}`;
}

/** The id of the notification (or digest) that the message `id` holds. */
export function notificationOfMessage(id: string): string {
  return id.replace(AGAIN, "");
}
