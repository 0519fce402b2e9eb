/**
 * The cap on bursts: of one source at most so many notifications in a window come by themselves; what is over comes together
 * when the window of the first of them ends.
 */
export interface Cap {
  readonly most: number;
  readonly withinMs: number;
}

/** Times at which notifications of a source came by themselves, oldest first, epoch milliseconds; at most `most` of them. */
export type Arrivals = readonly number[];

/** The arrivals after one more at `nowAt`, and until when it has to wait, or null when it may come by itself. */
export function arrive(
  before: Arrivals,
  { most, withinMs }: Cap,
  nowAt: number,
): { readonly arrivals: Arrivals; readonly burstUntilAt: number | null } {
  const recent = before.filter((at) => at <= nowAt && nowAt - at < withinMs);
  const oldestAt = recent.at(-most);
  if (oldestAt !== undefined) return { arrivals: recent, burstUntilAt: oldestAt + withinMs };
  return { arrivals: [...recent, nowAt], burstUntilAt: null };
}
