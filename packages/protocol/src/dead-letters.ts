/**
 * Dead letters: what an avatar could not take, frames that nobody acknowledged for 7 days, and messages that RabbitMQ gave up.
 * They are kept until an operator has them tried again.
 *
 *     id = <owner>~<key>      owner: an avatar, a shard (`_17`), or the queue `tidings.dead`
 */
import Type, { type Static } from "typebox";

export const DeadLetterId = Type.String({ pattern: "^[A-Za-z0-9._-]{1,80}~[A-Za-z0-9-]{1,40}$" });

export const DeadLetterView = Type.Object({
  id: DeadLetterId,
  /** Whose it is: an avatar, a shard or a queue. */
  owner: Type.String(),
  /** When it became a dead letter, epoch milliseconds; null when nobody noted it. */
  at: Type.Union([Type.Number(), Type.Null()]),
  kind: Type.String(),
  /** What happened, as it was said in the log. */
  error: Type.String(),
  /** The beginning of what it says. */
  excerpt: Type.String(),
});
export type DeadLetterView = Static<typeof DeadLetterView>;

/** Most characters of an excerpt. */
export const EXCERPT_CHARS = 500;

export function deadLetterId(owner: string, key: string): string {
  return `${owner}~${key}`;
}

/** The owner and the key in an id. */
export function splitDeadLetterId(id: string): { readonly owner: string; readonly key: string } {
  const at = id.lastIndexOf("~");
  return { owner: id.slice(0, at), key: id.slice(at + 1) };
}
