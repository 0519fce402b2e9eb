/** Whom mail is for. Only our own domain counts, in the plain form of an address: nothing is relayed (RFC 5321 §4.1.1.3). */
import { INBOX_LOCAL } from "@tidings/protocol";

export type Recipient =
  /** An inbox, if there is one of this name. */
  | { readonly kind: "inbox"; readonly local: string }
  /** An address that agent-email has given out with a message. */
  | { readonly kind: "answer"; readonly address: string }
  /** RFC 5321 §4.5.1: always there. */
  | { readonly kind: "postmaster" };

/** The recipient that `address` names at `mailDomain`; null when there can be none of this name here. */
export function recipientOf(address: string, mailDomain: string): Recipient | null {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(0, at)).toLowerCase();
  if (at < 0 || address.slice(at + 1).toLowerCase() !== mailDomain.toLowerCase()) return null;
  if (local === "postmaster" || local === "abuse") return { kind: "postmaster" };
  if (/^(bounce|reply)\+[a-z0-9-]{8,100}$/.test(local))
    return { kind: "answer", address: `${local}@${mailDomain}` };
  return INBOX_LOCAL.test(local) ? { kind: "inbox", local } : null;
}
