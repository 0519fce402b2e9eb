/** Notifications as their text in a row. */

const texts = new WeakMap<object, string>();

/** A notification told to many users of a shard is serialised once. */
export function textOf(notification: object): string {
  let text = texts.get(notification);
  if (text === undefined) {
    text = JSON.stringify(notification);
    texts.set(notification, text);
  }
  return text;
}
