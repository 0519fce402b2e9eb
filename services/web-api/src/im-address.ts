/** Addresses for the channel `im`, as a person types them. */
import { domainToUnicode } from "node:url";
import { type Addresses, isSendable } from "@tidings/protocol";

/** Most bytes of the local part and of the domain (RFC 7622 §3.2, §3.3). */
const MAX_PART_BYTES = 1_023;
/** Characters that no local part holds (RFC 7622 §3.3.1), spaces and invisible ones. */
const NOT_LOCAL = /["&'/:<>@\s\p{C}]/u;
/** A label of a domain, also an internationalised one (RFC 5890). */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;

export type ImAddress = { readonly address: string } | { readonly problem: string };

/**
 * What was typed as a bare JID in the spelling under which servers will name it: local part and domain in lower case
 * (RFC 7622 §3.2, §3.3; RFC 8265 §3.3), an ASCII-encoded domain in its letters. Otherwise a sentence that says what to do.
 */
export function imAddress(typed: string, addresses: Addresses): ImAddress {
  const text = typed.trim().replace(/^xmpp:/i, "");
  const at = text.indexOf("@");
  const local = text.slice(0, Math.max(0, at)).normalize("NFKC").toLowerCase();
  const domain = domainOf(text.slice(at + 1));
  if (text.includes("/"))
    return { problem: "Leave out the part after the slash: an IM address is name@domain." };
  if (at < 1 || domain === null || !isLocal(local)) {
    return { problem: "This is no IM address; it looks like name@example.org." };
  }
  const isOwn = [addresses.agents, addresses.avatars].some(
    (own) => domain === own || domain.endsWith(`.${own}`),
  );
  if (isOwn)
    return {
      problem: "This address belongs to Tidings itself; give the one that you read your messages at.",
    };
  return { address: `${local}@${domain}` };
}

function isLocal(local: string): boolean {
  return (
    isSendable(local) && !NOT_LOCAL.test(local) && Buffer.byteLength(local) <= MAX_PART_BYTES && local !== ""
  );
}

/** The domain in lower case, or null when it can be none. */
function domainOf(typed: string): string | null {
  const plain = typed.replace(/\.$/, "").normalize("NFC").toLowerCase();
  const labels = plain.split(".");
  if (!isSendable(plain) || Buffer.byteLength(plain) > MAX_PART_BYTES) return null;
  if (!labels.every((label) => LABEL.test(label))) return null;
  return domainToUnicode(plain) || null;
}
