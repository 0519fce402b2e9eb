/**
 * Where the answer to a mail goes, and as what, in one line: a URL of the form of RFC 6068, kept by the source of the inbox and
 * read again by whoever sends the answer.
 *
 *     mailto:alerts@flats.example?from=abc…@in.example.org&subject=Re%3A%20Two%20rooms&in-reply-to=%3C1%40flats.example%3E
 */
import { mailAddress } from "./mail-address.ts";

/** How long the parts may be, so that the whole fits where a callback does (2,000 characters). */
const MAX_SUBJECT_CHARS = 120;
const MAX_ID_CHARS = 250;
const ID = /^<[^\s<>]+>$/;

export interface AnswerAddress {
  readonly to: string;
  /** The inbox that the mail came to: what is answered to the answer comes there again. */
  readonly from: string;
  readonly subject: string;
  /** The Message-ID of the mail, with its angle brackets; null when it has none that can be used. */
  readonly inReplyTo: string | null;
}

/** The URL for `answer`; null when `to` is no address to write to. */
export function answerUrl({ to, from, subject, inReplyTo }: AnswerAddress): string | null {
  const address = mailAddress(to);
  if (address === null) return null;
  const fields = [
    ["from", from],
    ["subject", [...subject].slice(0, MAX_SUBJECT_CHARS).join("").toWellFormed()],
    ["in-reply-to", inReplyTo !== null && isId(inReplyTo) ? inReplyTo : ""],
  ];
  const query = fields.map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`).join("&");
  return `mailto:${encodeURIComponent(address)}?${query}`;
}

/** What `url` says; null when it was not made by {@link answerUrl}. */
export function readAnswerUrl(url: string): AnswerAddress | null {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "mailto:") return null;
  const to = mailAddress(decoded(parsed.pathname));
  const from = mailAddress(parsed.searchParams.get("from") ?? "");
  if (to === null || from === null) return null;
  const id = parsed.searchParams.get("in-reply-to") ?? "";
  const subject = parsed.searchParams.get("subject") ?? "";
  return { to, from, subject, inReplyTo: isId(id) ? id : null };
}

function isId(text: string): boolean {
  return text.length <= MAX_ID_CHARS && ID.test(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
