/** When a feed is asked next. Pure but for the spread: clock and settings come in as values. */

export interface PollPace {
  /** Shortest time between polls (milliseconds). */
  readonly minMs: number;
  /** From 0 to 1, another one each time, so that what came due at once does not come due at once again; default: random. */
  readonly spread?: () => number;
}

/** Longest time between polls (milliseconds). */
export const LONGEST_MS = 24 * 3_600_000;
/** After this long without a result a job counts as lost and is put on the queue again (milliseconds). */
export const JOB_TIMEOUT_MS = 120_000;

/** A result that took longer than this to come says that something behind the queues is slow (milliseconds). */
export const LATE_MS = 30_000;
/** Strain doubles the interval, at most so often. */
export const MOST_STRAIN = 6;
/**
 * A feed is asked after this share of the time in which it has had nothing new: what comes after an hour of silence is told
 * within three minutes, what comes after a week within nine hours.
 */
const SHARE_OF_SILENCE = 0.05;
/** Intervals are longer by up to this share. */
const SPREAD = 0.1;
/** How much more seldom a feed is polled whose hub sends. */
const PUSHED_FACTOR = 10;

/** Strain after a result that came `tookMs` after its job: one more when it was late, none when it was in time. */
export function strainAfter(strain: number, tookMs: number): number {
  return tookMs > LATE_MS ? Math.min(MOST_STRAIN, strain + 1) : 0;
}

/** Epoch milliseconds at which a job that brought nothing counts as lost; each one in a row gets twice the time. */
export function jobLostAt(nowAt: number, strain: number): number {
  return nowAt + JOB_TIMEOUT_MS * 2 ** strain;
}

export interface Found {
  /** For how long the feed has had nothing new (milliseconds). */
  readonly silentMs: number;
  /** For how long its server says that it will be the same (RFC 9111 §4.2), in milliseconds. */
  readonly freshForMs: number;
  readonly strain: number;
  /** Whether a hub sends what is new: polls only make sure. */
  readonly isPushed: boolean;
  /** Not later than this (epoch milliseconds); null: whenever. */
  readonly untilAt: number | null;
}

/** Epoch milliseconds of the next poll after one that went well: back-pressure ends here, as a longer interval. */
export function nextAfterSuccess(
  nowAt: number,
  { silentMs, freshForMs, strain, isPushed, untilAt }: Found,
  pace: PollPace,
): number {
  const own = Math.max(pace.minMs * 2 ** strain, silentMs * SHARE_OF_SILENCE, freshForMs);
  const at = nowAt + bounded(isPushed ? own * PUSHED_FACTOR : own, pace);
  return untilAt === null ? at : Math.max(nowAt + pace.minMs, Math.min(at, untilAt));
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
  const backedOff = pace.minMs * 2 ** Math.min(failures - 1, 20);
  return nowAt + bounded(Math.max(backedOff, retryAfterMs ?? 0), pace);
}

function bounded(wantedMs: number, { minMs, spread = Math.random }: PollPace): number {
  return Math.max(minMs, Math.min(LONGEST_MS, Math.round(wantedMs * (1 + SPREAD * spread()))));
}
