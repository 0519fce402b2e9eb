/** Who hears of a source, in the order of their shards, so that telling them fills one frame after the other. */
import { shardOf } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { SUBSCRIBER } from "./rows.ts";

/** Who is told of a change of the source itself; it is for a list on the page, not worth a fan-out page by page. */
const TOLD_OF_CHANGES = 5_000;
const EDITS = " edits";

/** Whether `user` hears of it. */
export function isSubscriber(turn: Turn, user: string): boolean {
  return turn.text(subscriberKey(user)) !== undefined;
}

/** How many more there are after a change (0, 1 or -1), of all and of those who want edits. */
export interface Change {
  readonly subscribers: number;
  readonly wantEdits: number;
}

/** From what comes after `seq` on, `user` is told; who was before goes on hearing from there. */
export function addSubscriber(turn: Turn, user: string, seq: number, edits = false): Change {
  const before = turn.text(subscriberKey(user));
  const since = before === undefined ? seq : sinceOf(before);
  const row = edits ? `${since}${EDITS}` : String(since);
  if (row !== before) turn.putText(subscriberKey(user), row);
  const had = before !== undefined && wantsEdits(before);
  return { subscribers: before === undefined ? 1 : 0, wantEdits: Number(edits) - Number(had) };
}

/** Tells `user` no more. */
export function removeSubscriber(turn: Turn, user: string): Change {
  const before = turn.text(subscriberKey(user));
  if (before === undefined) return { subscribers: 0, wantEdits: 0 };
  turn.delete(subscriberKey(user));
  return { subscribers: -1, wantEdits: wantsEdits(before) ? -1 : 0 };
}

/** After which number of its source the subscriber with this row is told. */
export function sinceOf(row: string): number {
  return Number.parseInt(row, 10);
}

/** Whether the subscriber with this row is told of edits. */
export function wantsEdits(row: string): boolean {
  return row.endsWith(EDITS);
}

/** The first of them, as they were before this turn. */
export function firstSubscribers(turn: Turn): string[] {
  const rows = turn.list({ from: SUBSCRIBER, to: `${SUBSCRIBER}\uffff`, limit: TOLD_OF_CHANGES });
  return rows.map(({ key }) => key.slice(key.lastIndexOf("/") + 1));
}

/** All of them, as they were before this turn. */
export function allSubscribers(turn: Turn): string[] {
  return turn.list(withPrefix(SUBSCRIBER)).map(({ key }) => key.slice(key.lastIndexOf("/") + 1));
}

function subscriberKey(user: string): string {
  return `${SUBSCRIBER}${String(shardOf(user)).padStart(2, "0")}/${user}`;
}
