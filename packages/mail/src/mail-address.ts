import { domainToASCII } from "node:url";

const MAX_CHARS = 254;
/** RFC 5321 §4.5.3.1.1, in octets. */
const MAX_LOCAL_BYTES = 64;
/** A dot-atom (RFC 5322 §3.2.3, RFC 6532 §3.2). Quoted local parts are left out: hardly anybody has one, and they can hold anything. */
const LOCAL = /^[^\s@<>()[\]\\,;:".\p{C}]+(\.[^\s@<>()[\]\\,;:".\p{C}]+)*$/u;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** The one mailbox that `address` names, its domain in ASCII; null when it is no addr-spec, or more than one. */
export function mailAddress(address: string): string | null {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, at);
  const domain = domainToASCII(address.slice(at + 1));
  if (at < 1 || address.length > MAX_CHARS || Buffer.byteLength(local) > MAX_LOCAL_BYTES) return null;
  return LOCAL.test(local) && DOMAIN.test(domain) ? `${local}@${domain}` : null;
}
