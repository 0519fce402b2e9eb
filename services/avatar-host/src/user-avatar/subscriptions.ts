/** A user's wishes to hear of sources. The id of a subscription is the localpart of its source: one feed, one subscription. */
import {
  type AvatarEvent,
  type CallArgs,
  CallError,
  canonicalFeedUrl,
  FeedAddressError,
  feedSource,
  type SubscriptionView,
  sharedSource,
  USER_LIMITS,
} from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { type CoreRow, SUBSCRIPTION, type SubscriptionRow, titleOf } from "./rows.ts";
import { filterOf, putFilter } from "./rule-calls.ts";

const NO_EDITS = "Only feeds have items that are edited; what programs publish and mails stay as they are.";

/** Subscribes, or finds the subscription that is there. A source that is not ready is asked (again) to say how it does. */
export function subscribe(
  turn: Turn,
  core: CoreRow,
  { url, title, priority, filter, edits }: CallArgs<"subscribe">,
): { created: boolean; row: SubscriptionRow } {
  const { source, shown, asked } = sourceOf(url);
  const known = turn.get<SubscriptionRow>(SUBSCRIPTION + source);
  if (known !== undefined && known.state === "active") return { created: false, row: known };
  const row: SubscriptionRow = known ?? {
    source,
    url: shown,
    ownTitle: title,
    feedTitle: null,
    state: "checking",
    problem: null,
    priority: priority ?? "default",
    ...(edits === true && isFeed(source) ? { edits } : {}),
    createdAt: turn.nowAt,
  };
  if (known === undefined) {
    keepSubscription(turn, row);
    if (filter !== undefined && filter !== null) putFilter(turn, core, source, filter);
  }
  turn.tell([source], { type: "subscribed", url: asked, ...(row.edits === true ? { edits: true } : {}) });
  return { created: known === undefined, row };
}

/** A new one. Throws CallError when there are as many as may be. */
export function keepSubscription(turn: Turn, row: SubscriptionRow): SubscriptionRow {
  if (turn.list(withPrefix(SUBSCRIPTION)).length >= USER_LIMITS.subscriptions)
    throw new CallError(
      "modify",
      "not-acceptable",
      `You have ${USER_LIMITS.subscriptions} subscriptions, which is the limit; remove one first.`,
    );
  turn.put(SUBSCRIPTION + row.source, row);
  return row;
}

/** All of them, in the order in which they were made. */
export function subscriptions(turn: Turn): SubscriptionRow[] {
  const rows = turn.list(withPrefix(SUBSCRIPTION)).map(({ value }) => JSON.parse(value) as SubscriptionRow);
  return rows.sort((a, b) => a.createdAt - b.createdAt);
}

/** Those that the user has made, or has heard of. */
export function listed(turn: Turn): SubscriptionView[] {
  return subscriptions(turn)
    .filter(({ isUnused }) => isUnused !== true)
    .map((row) => viewOf(turn, row));
}

/** Throws `item-not-found`. */
export function subscription(turn: Turn, id: string): SubscriptionRow {
  const row = turn.get<SubscriptionRow>(SUBSCRIPTION + id);
  if (row === undefined) throw new CallError("cancel", "item-not-found", "You have no such subscription.");
  return row;
}

export function changeSubscription(
  turn: Turn,
  core: CoreRow,
  { id, title, priority, filter, edits }: CallArgs<"changeSubscription">,
): SubscriptionView {
  const before = subscription(turn, id);
  const row = {
    ...before,
    ownTitle: title ?? before.ownTitle,
    priority: priority ?? before.priority,
    edits: edits ?? before.edits === true,
  };
  if (row.edits && !isFeed(id)) throw new CallError("modify", "not-acceptable", NO_EDITS);
  turn.put(SUBSCRIPTION + id, row);
  if (isFeed(id) && edits !== undefined) turn.tell([id], { type: "subscribed", url: row.url, edits });
  if (filter !== undefined) putFilter(turn, core, id, filter);
  return viewOf(turn, row);
}

export function unsubscribe(turn: Turn, id: string): void {
  subscription(turn, id);
  turn.delete(SUBSCRIPTION + id);
  turn.tell([id], { type: "unsubscribed" });
}

/** The source says how it is doing: the subscription as it is now, or null when there is none. */
export function onSourceChanged(
  turn: Turn,
  source: string,
  event: AvatarEvent & { type: "sourceChanged" },
): SubscriptionRow | null {
  const before = turn.get<SubscriptionRow>(SUBSCRIPTION + source);
  if (before === undefined) return null;
  const row = {
    ...before,
    state: event.state,
    problem: event.problem,
    feedTitle: event.title ?? before.feedTitle,
  };
  turn.put(SUBSCRIPTION + source, row);
  return row;
}

export function viewOf(turn: Turn, row: SubscriptionRow): SubscriptionView {
  const { source, url, state, problem, priority, createdAt } = row;
  const filter = filterOf(turn, source);
  const title = titleOf(row);
  const edits = row.edits === true;
  return { id: source, source: url, title, state, problem, priority, filter, edits, createdAt };
}

function isFeed(source: string): boolean {
  return source.startsWith("rss.");
}

/** The source that `url` or a share token names, the address that is shown of it, and what the source is asked with. */
function sourceOf(url: string): { readonly source: string; readonly shown: string; readonly asked: string } {
  const shared = sharedSource(url);
  // A token is a secret: it is told to the source and kept nowhere.
  if (shared !== null) return { source: shared, shown: `tidings:${shared}`, asked: url };
  const canonical = canonicalOrRefuse(url);
  return { source: feedSource(canonical), shown: canonical, asked: canonical };
}

function canonicalOrRefuse(url: string): string {
  try {
    return canonicalFeedUrl(url);
  } catch (error) {
    if (error instanceof FeedAddressError) throw new CallError("modify", "bad-request", error.message);
    throw error;
  }
}
