/** When something is to be told, in the words of a header or a JSON field. Pure. */
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Numbers from here on are Unix times in seconds, smaller ones nothing that anybody means. */
const FIRST_UNIX_SECONDS = 1_000_000_000;

/**
 * Epoch milliseconds of `said`: a time (RFC 3339, or a Unix time in seconds) or a delay from `nowAt` (`30m`, `2 hours`, `1d`, or
 * ISO 8601 as `PT30M`). Null when it is none of these.
 */
export function readTime(said: string, nowAt: number): number | null {
  const words = said.trim();
  const delayMs = readDelay(words);
  if (delayMs !== null) return nowAt + delayMs;
  if (/^\d{10,11}$/.test(words)) {
    const seconds = Number(words);
    return seconds >= FIRST_UNIX_SECONDS ? seconds * 1_000 : null;
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i.test(words)) return null;
  const at = Date.parse(words.replace(" ", "T").toUpperCase());
  return Number.isNaN(at) ? null : at;
}

/** Milliseconds of a delay; null when `said` is none. */
export function readDelay(said: string): number | null {
  const [, count, unit = ""] =
    /^(\d{1,6})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?)$/i.exec(said.trim()) ?? [];
  if (count !== undefined) return Number(count) * (UNIT_MS[unit.charAt(0).toLowerCase()] ?? 0);
  const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(said.trim());
  if (iso === null || /^PT?$/i.test(said.trim())) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = iso.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400_000 + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000;
}
