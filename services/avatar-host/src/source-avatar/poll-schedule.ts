/** When a feed is asked next. Pure: clock and settings come in as values. */

export interface PollPace {
  /** Shortest time between polls (milliseconds). */
  readonly minMs: number;
}

/** Longest time between polls (milliseconds). */
export const LONGEST_MS = 24 * 3_600_000;
/** After this long without a result a job counts as lost and is put on the queue again (milliseconds). */
export const JOB_TIMEOUT_MS = 120_000;

/** Epoch milliseconds of the next poll after one that went well. */
export function nextAfterSuccess(nowAt: number, pace: PollPace): number {
  return nowAt + pace.minMs;
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
