/** A value and the span of time in which it is the same, from the time it was asked for; epoch milliseconds. */
export interface ForNow<T> {
  readonly value: T;
  readonly untilAt: number;
}

const MOST_KEPT = 4;

/** `compute`, asked again only outside the spans that it has given: local time is slow to reckon, and most questions are of now. */
export function memoised<T>(compute: (at: number) => ForNow<T>): (at: number) => T {
  let kept: (ForNow<T> & { readonly fromAt: number })[] = [];
  return (at) => {
    const known = kept.find(({ fromAt, untilAt }) => fromAt <= at && at < untilAt);
    if (known !== undefined) return known.value;
    const found = compute(at);
    kept = [{ ...found, fromAt: at }, ...kept.slice(0, MOST_KEPT - 1)];
    return found.value;
  };
}
