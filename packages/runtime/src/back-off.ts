export interface BackOff {
  /** Delay before the second try (milliseconds); each further one is twice as long. */
  readonly firstMs: number;
  /** Longest delay (milliseconds). */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before try number `attempt` + 1 (`attempt` counts failures, from 1), with equal jitter: between
 * half and all of the exponential delay, so that many who failed together do not come back together. `random` is in [0, 1).
 */
export function backOffMs(attempt: number, { firstMs, maxMs }: BackOff, random: number): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 40));
  return Math.round(whole / 2 + (whole / 2) * random);
}
