/**
 * Later states of items that a feed has had before, told to those subscribers who want them. What an item said is remembered
 * beside its number in `seen/`, from the first poll on in which somebody wants that.
 *
 *     seen/<item id>  <poll> <print>
 */
import { createHash } from "node:crypto";
import { cleanLine, ITEM_LIMITS, type Item, itemId } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { SEEN } from "./rows.ts";

/** More changes at once than this are told only when they are the smaller part of the document: else it is its form that changed. */
const ALWAYS_TOLD = 3;

/** Notes what `items` say now, and gives those that said something else before, as items of their own. */
export function editsAmong(turn: Turn, items: readonly Item[], polls: number): Item[] {
  const edits = items.flatMap((item) => {
    const print = printOf(item);
    const [poll = polls, before] = turn.text(SEEN + item.id)?.split(" ") ?? [];
    if (before === print) return [];
    turn.putText(SEEN + item.id, `${poll} ${print}`);
    return before === undefined ? [] : [editOf(turn, item, print)];
  });
  return edits.length <= ALWAYS_TOLD || edits.length <= items.length / 2 ? edits : [];
}

/** The number of the poll in a row of `seen/`. */
export function pollOf(seen: string): number {
  return Number.parseInt(seen, 10);
}

/** Its id follows from what it says: a feed that goes back and forth between two states tells each once. */
function editOf(turn: Turn, item: Item, print: string): Item {
  return {
    ...item,
    id: itemId(turn.avatar, `${item.id} ${print}`),
    editOf: item.id,
    title: cleanLine(`Edited: ${item.title}`, ITEM_LIMITS.title),
  };
}

function printOf({ title, link, summary }: Item): string {
  return createHash("sha256")
    .update(JSON.stringify([title, link, summary]))
    .digest("base64url")
    .slice(0, 12);
}
