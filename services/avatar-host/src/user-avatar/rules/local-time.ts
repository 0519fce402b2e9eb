/** Times of day in a zone, in epoch milliseconds, across changes of the clock. */
import { DAYS, type Day } from "@tidings/protocol";

/** How a time that the clock shows twice or never is read (Temporal's words). */
export type Ambiguity = "compatible" | "later";

/** The local date at `at`, in `zone`. */
export function dateAt(zone: string, at: number): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();
}

/** When it is `timeOfDay` (`HH:MM`) on `date`. */
export function timeOn(
  date: Temporal.PlainDate,
  timeOfDay: string,
  zone: string,
  disambiguation: Ambiguity,
): number {
  return date.toPlainDateTime(Temporal.PlainTime.from(timeOfDay)).toZonedDateTime(zone, { disambiguation })
    .epochMilliseconds;
}

/** Whether `date` is one of `days`. */
export function isOn(date: Temporal.PlainDate, days: ReadonlySet<Day>): boolean {
  const day = DAYS[date.dayOfWeek - 1];
  return day !== undefined && days.has(day);
}
