const LONGEST_MS = 7 * 24 * 3_600_000;

/**
 * The Retry-After field (RFC 9110 §10.2.3), seconds or a date, as milliseconds from `nowAt`, at most a week; null when there is
 * none or it cannot be read.
 */
export function retryAfterMs(field: string | null, nowAt: number): number | null {
  if (field === null) return null;
  const text = field.trim();
  const ms = /^-?\d{1,12}$/.test(text) ? seconds(text) : Date.parse(text) - nowAt;
  return Number.isNaN(ms) ? null : Math.min(LONGEST_MS, Math.max(0, ms));
}

/** Date.parse would take a negative number for a year. */
function seconds(text: string): number {
  return text.startsWith("-") ? Number.NaN : Number(text) * 1_000;
}
