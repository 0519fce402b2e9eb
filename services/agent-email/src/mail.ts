/**
 * The message for a delivery, envelope and all. It is the same, byte for byte, however often it is made for one attempt:
 * id, date and boundary come from the ledger, so that a repeat is known as one.
 */
import { createHash } from "node:crypto";
import { cleanLine, type Dispatch } from "@tidings/protocol";
import { contentOf, htmlOf, OWN_SOURCE, textOf } from "./content.ts";
import type { Signed, Tokens } from "./tokens.ts";

const MAX_SUBJECT_CHARS = 150;

/** As nodemailer takes it. */
export interface PlainMail {
  readonly envelope: { readonly from: string; readonly to: string };
  readonly from: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly date: Date;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message in text and HTML. */
export interface Mail extends PlainMail {
  readonly html: string;
  readonly baseBoundary: string;
}

/** In whose name mail goes out. */
export interface Sender {
  /** The mailbox in From. */
  readonly from: string;
  /** Where the installation's mail comes in. */
  readonly mailDomain: string;
  readonly tokens: Tokens;
  /** Where one-click unsubscribing is served, without a slash at its end; null: nowhere. */
  readonly publicUrl: string | null;
}

/** The message of `dispatch` to `address`; `entry` is it in the ledger. */
export function mailOf(
  dispatch: Dispatch,
  address: string,
  entry: Signed & { readonly begunAt: number },
  sender: Sender,
): Mail {
  const { from, mailDomain, tokens } = sender;
  const content = contentOf(dispatch);
  const isOwn = dispatch.notification.source === OWN_SOURCE;
  const messageId = messageIdOf(entry, mailDomain);
  return {
    envelope: { from: tokens.address("bounce", entry), to: address },
    from,
    to: { name: "", address },
    ...(isOwn ? {} : { replyTo: tokens.address("reply", entry) }),
    subject: cleanLine(dispatch.notification.title, MAX_SUBJECT_CHARS) || content.title,
    text: textOf(content),
    html: htmlOf(content),
    messageId,
    date: new Date(entry.begunAt),
    headers: {
      // RFC 3834 §5: nobody's vacation program is to answer.
      "Auto-Submitted": "auto-generated",
      ...(isOwn ? {} : listHeaders(dispatch.notification.source, entry, sender)),
    },
    baseBoundary: createHash("sha256").update(messageId).digest("hex").slice(0, 24),
  };
}

/** The same for each repeat of an attempt, and another for the next attempt: that one is wanted. */
export function messageIdOf({ key, attempt }: Pick<Signed, "key" | "attempt">, mailDomain: string): string {
  return `<${createHash("sha256").update(key).digest("hex").slice(0, 32)}.${attempt}@${mailDomain}>`;
}

/** RFC 2919 and RFC 2369 §3.2; RFC 8058 where there is an address to post to. */
function listHeaders(
  source: string,
  entry: Signed,
  { mailDomain, tokens, publicUrl }: Sender,
): Readonly<Record<string, string>> {
  const label = source.toLowerCase().replace(/[^a-z0-9.-]/g, "") || "notifications";
  const byMail = `<mailto:${tokens.address("reply", entry)}?subject=stop>`;
  const listId = { "List-Id": `<${label}.${mailDomain}>` };
  if (publicUrl === null) return { ...listId, "List-Unsubscribe": byMail };
  const byClick = `<${publicUrl}/mail/unsubscribe/${tokens.token("unsubscribe", entry)}>`;
  return {
    ...listId,
    "List-Unsubscribe": `${byClick}, ${byMail}`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  };
}
