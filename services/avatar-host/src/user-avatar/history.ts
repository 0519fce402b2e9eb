/** What has been told to the user, newest first, with what became of it. */
import {
  type CallArgs,
  CallError,
  type CallResult,
  type HistoryItem,
  type HistoryItemWithTrace,
  type Notification,
} from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { isInState, searchFor } from "./history-search.ts";
import { ownState } from "./own-acts.ts";
import { furthest } from "./progress.ts";
import {
  type DeliveriesRow,
  HISTORY,
  INDEX,
  PENDING,
  SETTLED,
  SUBSCRIPTION,
  type SubscriptionRow,
  titleOf,
} from "./rows.ts";

/** Rows that one page looks at; a filter that finds little gives a shorter page with a cursor. */
const LOOKED_AT = 2_000;

/** One page of the history. The cursor is the number of its last notification. */
export function historyPage(
  turn: Turn,
  { limit, cursor, source, q, state }: CallArgs<"history">,
): CallResult<"history"> {
  const to = HISTORY + (cursor ?? "\uffff");
  const rows = turn.list({
    from: HISTORY,
    to,
    limit: source || q || state ? LOOKED_AT : limit + 1,
    reverse: true,
  });
  const isFound = searchFor(q);
  const items: HistoryItem[] = [];
  let last = "";
  for (const [at, { key, value }] of rows.entries()) {
    if (items.length === limit) return { items, next: last };
    last = key.slice(HISTORY.length);
    const notification = JSON.parse(value) as Notification;
    if (source !== null && notification.source !== source) continue;
    const item = itemOf(turn, last, notification);
    if (isInState(item.state, state) && isFound({ ...notification, sourceTitle: item.sourceTitle }))
      items.push(item);
    if (at === LOOKED_AT - 1) return { items, next: last };
  }
  return { items, next: null };
}

/** The newest `limit` items that are wanted, of the newest 2,000. */
export function newest(turn: Turn, limit: number, isWanted: (item: HistoryItem) => boolean): HistoryItem[] {
  const rows = turn.list({ from: HISTORY, to: `${HISTORY}\uffff`, limit: LOOKED_AT, reverse: true });
  const items: HistoryItem[] = [];
  for (const { key, value } of rows) {
    const item = itemOf(turn, key.slice(HISTORY.length), JSON.parse(value) as Notification);
    if (isWanted(item) && items.push(item) === limit) break;
  }
  return items;
}

/** One notification with its trace. Throws `item-not-found`. */
export function historyItem(turn: Turn, id: string): HistoryItemWithTrace {
  const number = turn.text(INDEX + id);
  const notification = number === undefined ? undefined : turn.get<Notification>(HISTORY + number);
  if (number === undefined || notification === undefined) {
    throw new CallError("cancel", "item-not-found", "There is no such notification in your history.");
  }
  const source = turn.get<SubscriptionRow>(SUBSCRIPTION + notification.source);
  const came = {
    at: notification.receivedAt,
    destination: null,
    state: null,
    what: `came from ${source ? titleOf(source) : "a source you have left"}`,
  };
  return {
    ...itemOf(turn, number, notification),
    trace: [came, ...(deliveriesOf(turn, number)?.trace ?? [])],
  };
}

/** The notification with that number, and what became of it. */
export function itemOf(turn: Turn, number: string, notification: Notification): HistoryItem {
  const { seq: _, ...shown } = notification;
  const row = deliveriesOf(turn, number);
  const deliveries = row?.deliveries ?? [];
  const source = turn.get<SubscriptionRow>(SUBSCRIPTION + notification.source);
  return {
    ...shown,
    sourceTitle: source === undefined ? notification.source : titleOf(source),
    state: (row && ownState(row, turn.nowAt)) ?? furthest(deliveries),
    deliveries: deliveries.map(({ destination, channel, state, at, reason }) => ({
      destination,
      channel,
      state,
      at,
      reason,
    })),
  };
}

export function deliveriesOf(turn: Turn, number: string): DeliveriesRow | undefined {
  return turn.get<DeliveriesRow>(PENDING + number) ?? turn.get<DeliveriesRow>(SETTLED + number);
}
