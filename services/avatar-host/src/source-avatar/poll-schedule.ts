/** When a feed is asked next. Pure: clock and settings come in as values. */

export interface PollPace {
  /** Shortest time between polls (milliseconds). */
  readonly minMs: number;
}

/** Longest time between polls (milliseconds). */
export const LONGEST_MS = 24 * 3_600_000;
/** After this long without a result a job counts as lost and is put on the queue again (milliseconds). */
export const JOB_TIMEOUT_MS = 120_000;

/** A result that took longer than this to come says that something behind the queues is slow (milliseconds). */
export const LATE_MS = 30_000;
/** Strain doubles the interval, at most so often. */
export const MOST_STRAIN = 6;

/** Strain after a result that came `tookMs` after its job: one more when it was late, none when it was in time. */
export function strainAfter(strain: number, tookMs: number): number {
  return tookMs > LATE_MS ? Math.min(MOST_STRAIN, strain + 1) : 0;
}

/** Epoch milliseconds at which a job that brought nothing counts as lost; each one in a row gets twice the time. */
export function jobLostAt(nowAt: number, strain: number): number {
  return nowAt + JOB_TIMEOUT_MS * 2 ** strain;
}

/** Epoch milliseconds of the next poll after one that went well: back-pressure ends here, as a longer interval. */
export function nextAfterSuccess(nowAt: number, pace: PollPace, strain = 0): number {
  return nowAt + Math.min(Math.max(LONGEST_MS, pace.minMs), pace.minMs * 2 ** strain);
}

/**
 * Epoch milliseconds of the next poll after `failures` failed ones in a row (from 1): twice as long each time, at most a
 * day, and not before the server's Retry-After.
 */
export function nextAfterFailure(
  nowAt: number,
  failures: number,
  retryAfterMs: number | null,
  pace: PollPace,
): number {
  const backedOff = Math.min(LONGEST_MS, pace.minMs * 2 ** Math.min(failures - 1, 20));
  return nowAt + Math.min(LONGEST_MS, Math.max(backedOff, retryAfterMs ?? 0));
}
