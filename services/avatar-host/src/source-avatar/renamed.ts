/**
 * Guards against feeds that give all their items new ids, as a change of software does: nobody wants to be told everything
 * again. What the last documents held is remembered by title and link, in one row; when nearly all of a document is new by
 * its ids and known by these, it is the same under other names.
 *
 *     prints  [hash, …]   newest last
 */
import { createHash } from "node:crypto";
import type { Item } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { PRINTS } from "./rows.ts";

const MOST_PRINTS = 500;
/** Fewer new items than this are never taken for a change of ids: the same words may be news. */
const FEWEST = 5;
const NEARLY_ALL = 0.8;

/** Those of `fresh` that are to be told: without what is known under other ids, if `items`, the document, was renamed. */
export function withoutRenamed(turn: Turn, items: readonly Item[], fresh: readonly Item[]): readonly Item[] {
  // A short document is never taken for a change of ids: noting what it holds, item by item, would cost more than the rest.
  if (fresh.length === 0 || items.length < FEWEST) return fresh;
  const prints = turn.get<string[]>(PRINTS) ?? [];
  const known = new Set(prints);
  const unknown = fresh.filter((item) => !known.has(printOf(item)));
  notePrints(turn, prints, items);
  const isRenamed =
    fresh.length >= FEWEST &&
    fresh.length >= items.length * NEARLY_ALL &&
    fresh.length - unknown.length >= fresh.length * NEARLY_ALL;
  return isRenamed ? unknown : fresh;
}

function notePrints(turn: Turn, prints: readonly string[], items: readonly Item[]): void {
  const noted = items.map(printOf);
  const isNoted = new Set(noted);
  turn.put(PRINTS, [...prints.filter((print) => !isNoted.has(print)), ...isNoted].slice(-MOST_PRINTS));
}

function printOf({ title, link }: Item): string {
  return createHash("sha256").update(`${link}\n${title}`).digest("base64url").slice(0, 12);
}
