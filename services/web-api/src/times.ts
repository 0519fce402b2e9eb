/** Epoch milliseconds, as avatars count, and RFC 3339 in UTC, as the interface shows. */

/** 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write. */
const LAST_MS = 253_402_300_799_999;
/** 0001-01-01T00:00:00Z. */
const FIRST_MS = -62_135_596_800_000;

/** `at` as RFC 3339, brought into the range that it can write. */
export function rfc3339(at: number): string {
  const known = Number.isFinite(at) ? at : 0;
  return new Date(Math.min(LAST_MS, Math.max(FIRST_MS, known))).toISOString();
}

/** The same where a time may be missing: null stays null, and so does what no calendar has (a feed may claim anything). */
export function rfc3339OrNull(at: number | null): string | null {
  return at === null || !Number.isFinite(at) || at > LAST_MS || at < FIRST_MS ? null : rfc3339(at);
}
