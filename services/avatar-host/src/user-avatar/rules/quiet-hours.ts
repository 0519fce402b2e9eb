/**
 * When a user is not to be disturbed. Hours begin at the first of two equal times of day and end at the last, so that the
 * night in which the clock goes back is quiet for an hour longer; a time that the clock skips is taken after the skip.
 */
import { DAYS, type QuietHours } from "@tidings/protocol";
import { dateAt, isOn, timeOn } from "./local-time.ts";
import { type ForNow, memoised } from "./memoised.ts";

interface Span {
  readonly fromAt: number;
  readonly toAt: number;
}

const DAY_MS = 86_400_000;
/** Looked at around a time: hours may have begun the day before, and each comes again within a week. */
const [DAYS_BEFORE, DAYS_AFTER] = [1, 8];

/** A function from a time to the end of the quiet hours that it is in, or to null; both epoch milliseconds. */
export function compileQuietHours(
  quietHours: readonly QuietHours[],
  zone: string,
): (at: number) => number | null {
  if (quietHours.length === 0) return () => null;
  return memoised((at) =>
    quietAt(
      quietHours.flatMap((hours) => spansAround(hours, zone, at)),
      at,
    ),
  );
}

/** Hours that overlap or touch are one. */
function quietAt(spans: readonly Span[], at: number): ForNow<number | null> {
  let endAt = at;
  for (let grown = true; grown; ) {
    const toAt = Math.max(
      endAt,
      ...spans.filter(({ fromAt, toAt }) => fromAt <= endAt && endAt < toAt).map(({ toAt }) => toAt),
    );
    grown = toAt > endAt;
    endAt = toAt;
  }
  if (endAt > at) return { value: endAt, untilAt: endAt };
  const nextAt = Math.min(
    ...spans.map(({ fromAt }) => fromAt).filter((fromAt) => fromAt > at),
    at + 7 * DAY_MS,
  );
  return { value: null, untilAt: nextAt };
}

function spansAround(
  { days = [...DAYS], from, to, zone: own }: QuietHours,
  home: string,
  at: number,
): Span[] {
  const zone = own ?? home;
  const wanted = new Set(days);
  const today = dateAt(zone, at);
  const spans: Span[] = [];
  for (let offset = -DAYS_BEFORE; offset <= DAYS_AFTER; offset++) {
    const date = today.add({ days: offset });
    if (!isOn(date, wanted)) continue;
    const last = to > from ? date : date.add({ days: 1 });
    spans.push({ fromAt: timeOn(date, from, zone, "compatible"), toAt: timeOn(last, to, zone, "later") });
  }
  return spans;
}
