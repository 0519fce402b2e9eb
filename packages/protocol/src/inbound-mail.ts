/** Mail that comes in: to an inbox it is something to tell, to an address of agent-email it is an answer or a bounce. */
import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";

/** Localparts of the source avatars of inboxes begin with this. */
export const MAIL_PREFIX = "mail.";

/** The localpart of the source avatar for mail to the inbox `local`@…; it does not tell the address. */
export function mailSource(local: string): string {
  return MAIL_PREFIX + createHash("sha256").update(local.toLowerCase()).digest("hex").slice(0, 32);
}

/** What a localpart of an inbox looks like: 100 random bits in Base32. */
export const INBOX_LOCAL = /^[a-z2-7]{20}$/;

/** Mail to an address that agent-email has given out, for which it has a token. */
export const AnswerMail = Type.Object({
  /** Of the envelope, not of the header. */
  recipient: Type.String({ maxLength: 320 }),
  /** The message as it came, cut; Base64. */
  raw: Type.String({ maxLength: 400_000 }),
});
export type AnswerMail = Static<typeof AnswerMail>;

/** Most of an {@link AnswerMail} that is kept (bytes). */
export const ANSWER_MAIL_BYTES = 262_144;

export const InboxView = Type.Object({
  /** The localpart of its source, which is also the id of the owner's subscription. */
  id: Type.String(),
  title: Type.String(),
  /** What stands before the @ of its address. */
  local: Type.String(),
  createdAt: Type.Number(),
});
export type InboxView = Static<typeof InboxView>;
