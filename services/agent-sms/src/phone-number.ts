/**
 * Which numbers a message may go to: whole international ones of an allowed country, of a kind that people carry with them.
 * Premium and shared-cost ranges are what those live on who make others send messages; they are refused everywhere.
 */
import type { Refusal } from "@tidings/agent";
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/max";

export interface PhoneNumber {
  /** E.164, such as `+12025550100`. */
  readonly number: string;
  /** The block of ten thousand numbers that it stands in: the number without its last four digits. */
  readonly prefix: string;
}

const BLOCK_DIGITS = 4;
/** Countries that a refusal names. */
const MAX_NAMED = 20;
/** Kinds of numbers that can take a message, in the words of libphonenumber. North America does not tell its two apart. */
const CARRIED = new Set(["MOBILE", "FIXED_LINE_OR_MOBILE"]);
const KINDS: Readonly<Record<string, string>> = {
  PREMIUM_RATE: "a premium-rate number",
  SHARED_COST: "a shared-cost number",
  TOLL_FREE: "a toll-free number",
  FIXED_LINE: "a landline",
  VOIP: "an internet telephone",
  PERSONAL_NUMBER: "a personal number, which costs extra",
  PAGER: "a pager",
  UAN: "a company's number",
  VOICEMAIL: "a voice mailbox",
};

/** The number in `address`, or why no message goes there. `countries` are ISO 3166-1 codes; empty: none is allowed. */
export function readNumber(address: string, countries: ReadonlySet<string>): PhoneNumber | Refusal {
  const parsed = address.startsWith("+") ? parsePhoneNumberFromString(address) : undefined;
  if (parsed === undefined || parsed.number !== address || !parsed.isValid())
    return never("jid-malformed", "This is no telephone number; give it in full, such as +12025550100.");
  if (parsed.country === undefined || !countries.has(parsed.country))
    return notAllowed(parsed.country, countries);
  const kind = parsed.getType();
  if (kind === undefined || !CARRIED.has(kind)) {
    const what = KINDS[kind ?? ""] ?? "of a kind that is not known";
    return never("not-acceptable", `This number is ${what}; give the number of a mobile phone.`);
  }
  return { number: parsed.number, prefix: parsed.number.slice(0, -BLOCK_DIGITS) };
}

/** Whether `code` is an ISO 3166-1 code of a country that has telephone numbers. */
export function isCountry(code: string): code is CountryCode {
  return isSupportedCountry(code);
}

function notAllowed(country: string | undefined, countries: ReadonlySet<string>): Refusal {
  const where = country === undefined ? "numbers of no country" : country;
  const some = [...countries].slice(0, MAX_NAMED).join(", ");
  const more = countries.size > MAX_NAMED ? " and more" : "";
  const allowed = countries.size === 0 ? "none is allowed yet" : `allowed are ${some}${more}`;
  return never(
    "not-allowed",
    `This installation sends no messages to ${where} (${allowed}); its operator can change TIDINGS_SMS_COUNTRIES.`,
  );
}

function never(condition: string, text: string): Refusal {
  return { condition, mayRetry: false, text };
}
