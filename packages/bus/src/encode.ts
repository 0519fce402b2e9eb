import { type Element, isSendable } from "@tidings/protocol";
import { IllegalTextError } from "./errors.ts";

/**
 * `stanza` as text. Throws IllegalTextError when a text or an attribute holds what XML 1.0 forbids: escaping leaves such
 * characters as they are, so looking at the whole once is enough.
 */
export function encode(stanza: Element): string {
  const text = stanza.toString();
  if (!isSendable(text)) throw new IllegalTextError(stanza.name, String(stanza.attrs.to ?? "the server"));
  return text;
}
