/** The user's private feed: what its readers get, and the secret in its address. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { CallError, type CallResult, type HistoryItem, type PrivateFeedOf } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { newest } from "./history.ts";
import { FEED } from "./rows.ts";

/** What a reader that asks now and then must not miss, and what fits into one answer. */
const ITEMS = 50;
const SECRET_BYTES = 24;

interface FeedRow {
  /** Kept as it is, because the user looks it up again; who can read it here can read the history beside it. */
  readonly secret: string;
  readonly createdAt: number;
}

/** The secret in the feed's address; both null when there is none. */
export function feedLink(turn: Turn): CallResult<"feedLink"> {
  const row = turn.get<FeedRow>(FEED);
  return { secret: row?.secret ?? null, createdAt: row?.createdAt ?? null };
}

/** A new secret: from now on the address before is nobody's. */
export function rotateFeed(turn: Turn): CallResult<"feedLink"> {
  const row = { secret: randomBytes(SECRET_BYTES).toString("base64url"), createdAt: turn.nowAt };
  turn.put(FEED, row satisfies FeedRow);
  return row;
}

/** The feed has no address any more. */
export function endFeed(turn: Turn): void {
  turn.delete(FEED);
}

/** What is in the feed, newest first. Throws `item-not-found` when `secret` is not the one in its address. */
export function feedItems(turn: Turn, secret: string, of: PrivateFeedOf): HistoryItem[] {
  const row = turn.get<FeedRow>(FEED);
  if (row === undefined || !isSame(row.secret, secret))
    throw new CallError(
      "cancel",
      "item-not-found",
      "There is no such feed; its address may have been changed.",
    );
  return newest(turn, ITEMS, WANTED[of]);
}

const WANTED: Readonly<Record<PrivateFeedOf, (item: HistoryItem) => boolean>> = {
  all: () => true,
  held: ({ state }) => state === "held",
  unacknowledged: ({ state }) => state !== "acked" && state !== "acted",
};

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
