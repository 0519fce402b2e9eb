/**
 * Sources that a user owns: what others bring to them is told to the user, who is subscribed to each. Publishers and inboxes are
 * such, each kind under a prefix of its own; the rows name the localpart of the source.
 */
import { CallError, PUBLISH_LIMITS } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import type { SubscriptionRow } from "./rows.ts";
import { keepSubscription } from "./subscriptions.ts";

/** One kind of them: the prefix of its rows, and what people call it. */
export interface SourceKind {
  readonly prefix: string;
  readonly noun: string;
}

/** Opens `source` and subscribes to it; the row of the subscription. Throws CallError when there are as many as may be. */
export function openSource(
  turn: Turn,
  { prefix, noun }: SourceKind,
  source: string,
  /** `secret` signs answers; empty where none are given. */
  { title, secret, row }: { readonly title: string; readonly secret: string; readonly row: object },
): SubscriptionRow {
  if (turn.list(withPrefix(prefix)).length >= PUBLISH_LIMITS.publishers) {
    const sentence = `You have ${PUBLISH_LIMITS.publishers} of this kind (${noun}), which is the limit; remove one first.`;
    throw new CallError("modify", "not-acceptable", sentence);
  }
  const subscription = keepSubscription(turn, {
    source,
    url: `tidings:${source}`,
    ownTitle: null,
    feedTitle: title,
    state: "checking",
    problem: null,
    priority: "default",
    createdAt: turn.nowAt,
  });
  turn.put(prefix + source, row);
  turn.tell([source], { type: "publisherOpened", title, secret });
  return subscription;
}

/** All of one kind, in the order in which they were made. */
export function ownSources<Row extends { readonly createdAt: number }>(
  turn: Turn,
  { prefix }: SourceKind,
): (Row & { readonly id: string })[] {
  const rows = turn.list(withPrefix(prefix));
  return rows
    .map(({ key, value }) => ({ id: key.slice(prefix.length), ...(JSON.parse(value) as Row) }))
    .sort((a, b) => a.createdAt - b.createdAt);
}

/** Ends it: the subscription stays, as what came before is still told. Throws `item-not-found`. */
export function endSource(turn: Turn, { prefix, noun }: SourceKind, id: string): void {
  if (turn.text(prefix + id) === undefined)
    throw new CallError("cancel", "item-not-found", `You have no such ${noun}.`);
  turn.delete(prefix + id);
  turn.tell([id], { type: "publisherEnded" });
}
