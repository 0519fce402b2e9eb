/**
 * Dates as feeds write them: RFC 822 with its zones, RFC 3339, and what people make of both. A date without a zone is taken
 * as UTC, so that every ingestor reads the same.
 */

const EARLIEST_AT = 0;
const LATEST_AT = Date.UTC(2100, 0, 1);

/** Milliseconds east of UTC by name; the North American ones are RFC 822 §5.1. */
const ZONE_HOURS: Readonly<Record<string, number>> = {
  UT: 0,
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  AKST: -9,
  AKDT: -8,
  HST: -10,
  BRT: -3,
  ART: -3,
  BST: 1,
  IST: 5.5,
  WEST: 1,
  CET: 1,
  MEZ: 1,
  CEST: 2,
  MESZ: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  SGT: 8,
  HKT: 8,
  JST: 9,
  KST: 9,
  ACST: 9.5,
  AEST: 10,
  AEDT: 11,
  NZST: 12,
  NZDT: 13,
};

/** The first letters by which a month is known, in the languages that feeds mix into RFC 822 dates. */
const MONTHS: readonly RegExp[] = [
  /^(jan|ene|gen|janv|sty)/,
  /^(feb|fev|fév|fév|lut)/,
  /^(mar|mär|mrz|maa)/,
  /^(apr|abr|avr|kwi)/,
  /^(may|mai|mag|mei|maj)/,
  /^(jun|juin|giu|cze)/,
  /^(jul|juil|lug|lip)/,
  /^(aug|ago|aou|aoû|sie)/,
  /^(sep|set|wrz)/,
  /^(oct|okt|out|ott|paź)/,
  /^(nov|lis)/,
  /^(dec|dez|dic|déc|gru)/,
];

const CLOCK = String.raw`(?:[T ,]+(?:at +)?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?`;
const ZONE = String.raw`\s*(am|pm)?\s*(z|[+-]\d{1,2}:?\d{2}|[+-]\d{1,2}|[a-z]{2,5}(?:[+-]\d{1,2}:?\d{2})?)?`;

const ISO = new RegExp(String.raw`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})${CLOCK}${ZONE}`, "i");
const DAY_FIRST = new RegExp(
  String.raw`^(\d{1,2})[ .-]+(?:de )?(\p{L}{3,})\.?,?[ -]+(?:de )?(\d{4}|\d{2})${CLOCK}${ZONE}`,
  "iu",
);
const MONTH_FIRST = new RegExp(
  String.raw`^(\p{L}{3,})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})${CLOCK}${ZONE}`,
  "iu",
);
const DOTTED = new RegExp(String.raw`^(\d{1,2})\.(\d{1,2})\.(\d{4})${CLOCK}${ZONE}`, "i");
const WEEKDAY = /^\p{L}{2,}\.?,?\s+(?=\d)|^\p{L}{2,}\.?,\s*/u;

/** The time that `text` names, in epoch milliseconds; null when it names none between 1970 and 2100. */
export function parseDate(text: string | null): number | null {
  if (text === null || text.length > 200) return null;
  const tidy = text.replace(/\s+/g, " ").trim();
  const at =
    fromEpoch(tidy) ??
    fromIso(tidy) ??
    fromWords(tidy.replace(WEEKDAY, "")) ??
    fromWords(tidy) ??
    fromEngine(tidy);
  return at !== null && at > EARLIEST_AT && at < LATEST_AT ? at : null;
}

/** Seconds or milliseconds since 1970. */
function fromEpoch(text: string): number | null {
  if (!/^\d{9,13}$/.test(text)) return null;
  return text.length > 11 ? Number(text) : Number(text) * 1_000;
}

function fromIso(text: string): number | null {
  const [match, year, month, day, ...rest] = ISO.exec(text) ?? [];
  return match === undefined ? null : instant(Number(year), Number(month), Number(day), rest);
}

function fromWords(text: string): number | null {
  const [dayFirst, day, month = "", year = "", ...rest] = DAY_FIRST.exec(text) ?? [];
  if (dayFirst !== undefined) return instant(fullYear(year), monthNamed(month), Number(day), rest);
  const [monthFirst, name = "", dayOf, yearOf, ...restOf] = MONTH_FIRST.exec(text) ?? [];
  if (monthFirst !== undefined) return instant(Number(yearOf), monthNamed(name), Number(dayOf), restOf);
  const [dotted, dd, mm, yyyy, ...others] = DOTTED.exec(text) ?? [];
  return dotted === undefined ? null : instant(Number(yyyy), Number(mm), Number(dd), others);
}

function fromEngine(text: string): number | null {
  const at = Date.parse(/[+-]\d{2}:?\d{2}$|[A-Za-z]$/.test(text) ? text : `${text} UTC`);
  return Number.isNaN(at) ? null : at;
}

function instant(
  year: number,
  month: number,
  day: number,
  rest: readonly (string | undefined)[],
): number | null {
  const [hour = "0", minute = "0", second = "0", fraction = "0", half, zone] = rest;
  const offset = zoneOffsetMs(zone);
  if (month < 1 || month > 12 || day < 1 || day > 31 || Number(hour) > 24 || offset === null) return null;
  const ms = Math.floor(Number(`0.${fraction}`) * 1_000);
  return (
    Date.UTC(year, month - 1, day, hourOf(Number(hour), half), Number(minute), Number(second), ms) - offset
  );
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  return (hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
}

/** A name that nobody knows counts as UTC: some hours wrong is better than no date. */
function zoneOffsetMs(zone: string | undefined): number | null {
  if (zone === undefined) return 0;
  const numeric = /([+-])(\d{1,2}):?(\d{2})?$/.exec(zone);
  if (numeric === null) return (ZONE_HOURS[zone.toUpperCase()] ?? 0) * 3_600_000;
  const [, sign, hours, minutes = "0"] = numeric;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return Number(hours) > 14 ? null : sign === "-" ? -offset : offset;
}

function monthNamed(name: string): number {
  return MONTHS.findIndex((pattern) => pattern.test(name.toLowerCase())) + 1;
}

/** RFC 2822 §4.3: two digits up to 49 are of this century. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length > 2) return year;
  return year < 50 ? 2_000 + year : 1_900 + year;
}
