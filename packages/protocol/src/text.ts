/**
 * Text that may travel. XML 1.0 (§2.2) forbids most control characters, lone surrogates and two non-characters; one of
 * them in a stanza closes the stream of the whole component, and an outbox that resends it would do so for ever. So text
 * is cleaned where it comes in, and the encoder refuses what was not.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const FORBIDDEN_ALL = new RegExp(FORBIDDEN.source, "g");
/** Controls that reorder or hide what a person reads (Unicode TR 36, bidi embedding, overrides and isolates). */
const DECEPTIVE_ALL = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g;

/** Whether `text` can stand in an XML 1.0 document. */
export function isSendable(text: string): boolean {
  return text.isWellFormed() && !FORBIDDEN.test(text);
}

/** `text` without what XML forbids and without direction overrides; lone surrogates become U+FFFD. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(FORBIDDEN_ALL, "").replace(DECEPTIVE_ALL, "");
}

/** One line of at most `maxChars` UTF-16 units, cleaned, white space folded, cut at a code point with an ellipsis. */
export function cleanLine(text: string, maxChars: number): string {
  return shorten(
    cleanText(text.slice(0, maxChars * 8))
      .replace(/\s+/g, " ")
      .trim(),
    maxChars,
  );
}

/** `text` cut to `maxChars` UTF-16 units, never within a surrogate pair, with "…" where something was cut. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const cut = text.slice(0, maxChars - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
