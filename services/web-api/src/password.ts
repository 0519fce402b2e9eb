/**
 * Which passwords are taken. A password must mean the same bytes to every XMPP client, whether it prepares passwords with
 * SASLprep (RFC 4013), with PRECIS (RFC 8265) or not at all; so what SASLprep would change or forbid is refused here.
 */
import { isUnassigned } from "./unassigned.ts";

const MIN_CHARS = 8;
const MAX_CHARS = 256;

/** RFC 3454 B.1, mapped to nothing. */
const MAPPED_TO_NOTHING =
  /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200b|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/u;
/** RFC 3454 C.1.2, spaces other than U+0020, which SASLprep turns into it. */
const OTHER_SPACE = /[\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}]/u;
/** RFC 3454 C.2.1, C.2.2 and C.8: control characters, and marks that change how text is shown. */
const CONTROL =
  /[\p{Cc}\p{Zl}\p{Zp}\u06dd\u070f\u180e\u200e\u200f\u202a-\u202e\u2061-\u2063\u206a-\u206f]|\u0340|\u0341/u;
const MUSICAL_CONTROL = /[\u{1d173}-\u{1d17a}]/u;
/** RFC 3454 C.3 to C.7 and C.9: private use, non-characters, surrogates, what plain text does not hold, tags. */
const FORBIDDEN =
  /[\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u{fff9}-\u{fffd}\u{2ff0}-\u{2ffb}\u{e0001}\u{e0020}-\u{e007f}]/u;
/** Letters written from right to left, as far as Unicode 3.2 had them (RFC 3454 D.1). */
const RIGHT_TO_LEFT =
  /[\u{5be}\u{5c0}\u{5c3}\u{5d0}-\u{5f4}\u{61b}\u{61f}\u{621}-\u{64a}\u{66d}-\u{66f}\u{671}-\u{6d5}\u{6dd}\u{6e5}\u{6e6}\u{6fa}-\u{710}\u{712}-\u{72c}\u{780}-\u{7a5}\u{7b1}\u{fb1d}\u{fb1f}-\u{fb28}\u{fb2a}-\u{fd3d}\u{fd50}-\u{fdfc}\u{fe70}-\u{fefc}]/u;
const LETTER = /\p{L}/u;

/** Why `password` is not taken, as a sentence that says what to do; null when it is. */
export function passwordProblem(password: string): string | null {
  const chars = [...password];
  if (chars.length < MIN_CHARS || chars.length > MAX_CHARS) {
    return `A password has ${MIN_CHARS} to ${MAX_CHARS} characters.`;
  }
  if (CONTROL.test(password) || MUSICAL_CONTROL.test(password))
    return "A password holds no control characters; leave out line ends, tabs and the like.";
  if (MAPPED_TO_NOTHING.test(password))
    return "This password holds an invisible character; type it anew without it.";
  if (OTHER_SPACE.test(password)) return "This password holds an unusual space; use the plain one.";
  if (FORBIDDEN.test(password) || chars.some((char) => isUnassigned(char.codePointAt(0) ?? 0))) {
    return "This password holds a character, such as an emoji, that not every XMPP client can send; choose others.";
  }
  if (password.normalize("NFKC") !== password) {
    return "This password holds a character that XMPP clients would replace by another (such as a ligature or a full-width letter); use its plain form.";
  }
  return directionProblem(chars);
}

/** RFC 3454 §6: text from right to left begins and ends with such a letter and holds no letter of the other direction. */
function directionProblem(chars: readonly string[]): string | null {
  if (!chars.some((char) => RIGHT_TO_LEFT.test(char))) return null;
  const [first = "", last = ""] = [chars[0], chars.at(-1)];
  const isMixed = chars.some((char) => LETTER.test(char) && !RIGHT_TO_LEFT.test(char));
  if (!isMixed && RIGHT_TO_LEFT.test(first) && RIGHT_TO_LEFT.test(last)) return null;
  return "A password with letters written from right to left begins and ends with one and holds no others; choose one direction.";
}
