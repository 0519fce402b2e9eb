/**
 * What a source has seen, so that nothing is told twice. The set is bounded: once it is much larger than the document, the
 * oldest that the document no longer holds are forgotten.
 */
import type { PollResult } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { SEEN, type SourceRow } from "./rows.ts";

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
    if (present.has(key) || Number(value) > source.polls - REMEMBER_POLLS) continue;
    turn.delete(key);
    count--;
  }
  return count;
}
