/** Times as a document of rules writes them. */

const DAY_MS = 86_400_000;

/** An ISO 8601 duration such as `PT2M` or `P1D` in milliseconds; null when it is none, is not positive, or has years or months. */
export function durationMs(text: string): number | null {
  try {
    const duration = Temporal.Duration.from(text);
    if (duration.years !== 0 || duration.months !== 0) return null;
    const { weeks, days, hours, minutes, seconds, milliseconds } = duration;
    const ms = (weeks * 7 + days) * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds;
    return ms > 0 ? ms : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The end of a mute, epoch milliseconds; NaN when it is no time of RFC 3339. */
export function muteUntilAt(text: string): number {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return Number.NaN;
    throw error;
  }
}

/** Minutes since midnight of `HH:MM`. */
export function minuteOf(timeOfDay: string): number {
  const [hours, minutes] = timeOfDay.split(":").map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}
