/** Durations, zones, quiet hours and digests: what no schema can say of them. */
import { DAYS, type Digest, type Mute, type QuietHours, type Rules } from "./document.ts";
import type { RuleProblem } from "./problem.ts";
import { durationMs, minuteOf, muteUntilAt } from "./times.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const DAY_MINUTES = 1_440;

/** Everything about time that is for the whole document. */
export function checkTimes(rules: Rules): RuleProblem[] {
  const { zone, quietHours, held, burst, dedup, retention } = rules;
  return [
    ...checkZone(zone, "/zone"),
    ...quietHours.flatMap((hours, at) => checkQuietHours(hours, `/quietHours/${at}`)),
    ...checkWeek(quietHours),
    ...(held.digest === null ? [] : checkDigest(held.digest, "/held/digest")),
    ...(held.digest?.to === "im" ? [HELD_IN_IM] : []),
    ...(burst === null ? [] : checkDuration(burst.within, "/burst/within", MINUTE_MS, DAY_MS)),
    ...(dedup === null ? [] : checkDuration(dedup.within, "/dedup/within", MINUTE_MS, 7 * DAY_MS)),
    ...checkDuration(retention, "/retention", DAY_MS, 366 * DAY_MS),
  ];
}

const HELD_IN_IM: RuleProblem = {
  pointer: "/held/digest/to",
  detail: "What is held waits for IM already; name another channel, such as email.",
};

/** A duration between two bounds (milliseconds). */
export function checkDuration(text: string, pointer: string, leastMs: number, mostMs: number): RuleProblem[] {
  const ms = durationMs(text);
  if (ms === null)
    return [
      { pointer, detail: "Write a duration as in ISO 8601, without years and months: PT2M, PT1H30M or P1D." },
    ];
  if (ms >= leastMs && ms <= mostMs) return [];
  return [{ pointer, detail: `Choose a duration between ${spoken(leastMs)} and ${spoken(mostMs)}.` }];
}

export function checkDigest(digest: Digest, pointer: string): RuleProblem[] {
  const { every, at, days } = digest;
  if ((every === undefined) === (at === undefined))
    return [{ pointer, detail: "Give a digest either every (a duration) or at (a time of day), not both." }];
  if (every === undefined) return [];
  if (days !== undefined)
    return [{ pointer: `${pointer}/days`, detail: "days goes with at; take it out, or use at." }];
  return checkDuration(every, `${pointer}/every`, 5 * MINUTE_MS, DAY_MS);
}

export function checkMute(mute: Mute, pointer: string): RuleProblem[] {
  if (typeof mute === "boolean" || Number.isFinite(muteUntilAt(mute.until))) return [];
  const detail = "Write the end of a mute as in RFC 3339, such as 2026-03-01T08:00:00Z.";
  return [{ pointer: `${pointer}/until`, detail }];
}

function checkZone(zone: string, pointer: string): RuleProblem[] {
  if (/^[+-]/.test(zone))
    return [
      { pointer, detail: "An offset knows nothing of summer time; give a zone such as Europe/Berlin." },
    ];
  try {
    new Temporal.ZonedDateTime(0n, zone);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [
      { pointer, detail: "There is no such time zone; give one of the IANA list, such as Europe/Berlin." },
    ];
  }
}

function checkQuietHours({ from, to, zone }: QuietHours, pointer: string): RuleProblem[] {
  const problems = zone === undefined ? [] : checkZone(zone, `${pointer}/zone`);
  if (from !== to) return problems;
  const detail =
    "These hours start and end at the same time, which is nothing or a whole day; give another end, or two entries for a whole day.";
  return [...problems, { pointer: `${pointer}/to`, detail }];
}

/** Quiet all week would hold everything for ever. Looked at on a week without clock changes, zones left aside. */
function checkWeek(quietHours: readonly QuietHours[]): RuleProblem[] {
  const isQuiet = new Uint8Array(7 * DAY_MINUTES);
  for (const { days = DAYS, from, to } of quietHours) {
    const start = minuteOf(from);
    const length = (minuteOf(to) - start + DAY_MINUTES) % DAY_MINUTES;
    for (const day of days) {
      const first = DAYS.indexOf(day) * DAY_MINUTES + start;
      for (let minute = first; minute < first + length; minute++) isQuiet[minute % isQuiet.length] = 1;
    }
  }
  if (isQuiet.includes(0)) return [];
  const detail =
    "These hours leave no time of the week over, so nothing but urgent would ever be told; leave a gap, or mute instead.";
  return [{ pointer: "/quietHours", detail }];
}

function spoken(ms: number): string {
  return Temporal.Duration.from({ milliseconds: ms }).round({ largestUnit: "days" }).toString();
}
