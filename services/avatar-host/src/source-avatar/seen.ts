/**
 * What a source has seen, so that nothing is told twice. The set is bounded: once it is much larger than the document, the
 * oldest that the document no longer holds are forgotten.
 */
import type { PollResult } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { pollOf } from "./edits.ts";
import { type PublisherRow, SEEN, type SourceRow } from "./rows.ts";

const FORGET_ABOVE = 5_000;
/** Polls for which an item that has left the document is remembered at least. */
const REMEMBER_POLLS = 100;

/** Whether the item with this id has not come before. */
export function isNew(turn: Turn, id: string): boolean {
  return turn.text(SEEN + id) === undefined;
}

/**
 * Forgets what is old when too much has come together; returns how many are remembered. Only a document that came whole, in
 * one part, says what it no longer holds.
 */
export function forgetOldSeen(turn: Turn, source: SourceRow, result: PollResult): number {
  if (source.seenCount <= FORGET_ABOVE || result.parts > 1 || result.outcome !== "items")
    return source.seenCount;
  const present = new Set(result.items.map(({ id }) => SEEN + id));
  let count = source.seenCount;
  for (const { key, value } of turn.list(withPrefix(SEEN))) {
    if (present.has(key) || pollOf(value) > source.polls - REMEMBER_POLLS) continue;
    turn.delete(key);
    count--;
  }
  return count;
}

/** For how long what was published is remembered at least, so that a repeat is told to nobody (milliseconds). */
const REMEMBER_MS = 7 * 24 * 3_600_000;

/** Notes what has been published by now; forgets what is old each time as much has come again as there was. */
export function noteSeen(
  turn: Turn,
  { seenCount, seenAtSweep }: PublisherRow,
  ids: readonly string[],
): Pick<PublisherRow, "seenCount" | "seenAtSweep"> {
  for (const id of ids) turn.putText(SEEN + id, String(turn.nowAt));
  const count = seenCount + ids.length;
  if (count < Math.max(FORGET_ABOVE, 2 * seenAtSweep)) return { seenCount: count, seenAtSweep };
  const old = turn.list(withPrefix(SEEN)).filter(({ value }) => turn.nowAt - Number(value) > REMEMBER_MS);
  for (const { key } of old) turn.delete(key);
  return { seenCount: count - old.length, seenAtSweep: count - old.length };
}
