/** The stream in parts, each of which is drawn for itself. */
import type { Item } from "../types.ts";

/** Notifications in one part. */
const SIZE = 50;

export interface Part {
  /** Of the first in it, in the stream. */
  readonly from: number;
  readonly items: readonly Item[];
}

/**
 * `items` in parts that stay the same when new ones come before them and older ones after: they are counted from the one with
 * the id `anchor`, in both directions.
 */
export function partsOf(items: readonly Item[], anchor: string | null): Part[] {
  const middle = Math.max(
    0,
    items.findIndex(({ id }) => id === anchor),
  );
  const parts: Part[] = [];
  for (let from = (middle % SIZE) - SIZE; from < items.length; from += SIZE) {
    const part = items.slice(Math.max(0, from), from + SIZE);
    if (part.length > 0) parts.push({ from: Math.max(0, from), items: part });
  }
  return parts;
}
