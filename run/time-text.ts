/** Milliseconds in `count` minutes. */
export function minutes(count: number): number {
  return count * 60_000;
}

/** The time since `sinceAt` (of performance.now()) for the terminal: `1.2 s`. */
export function secondsSince(sinceAt: number): string {
  return `${((performance.now() - sinceAt) / 1_000).toFixed(1)} s`;
}
