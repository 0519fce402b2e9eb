/** Who hears of a source, in the order of their shards, so that telling them fills one frame after the other. */
import { shardOf } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { SUBSCRIBER } from "./rows.ts";

/** Who is told of a change of the source itself; it is for a list on the page, not worth a fan-out page by page. */
const TOLD_OF_CHANGES = 5_000;

/** Whether `user` hears of it. */
export function isSubscriber(turn: Turn, user: string): boolean {
  return turn.text(subscriberKey(user)) !== undefined;
}

/** From what comes after `seq` on, `user` is told. False when they were before. */
export function addSubscriber(turn: Turn, user: string, seq: number): boolean {
  if (isSubscriber(turn, user)) return false;
  turn.putText(subscriberKey(user), String(seq));
  return true;
}

/** False when they were none. */
export function removeSubscriber(turn: Turn, user: string): boolean {
  if (!isSubscriber(turn, user)) return false;
  turn.delete(subscriberKey(user));
  return true;
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
