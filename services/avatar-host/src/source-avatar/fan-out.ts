/**
 * Telling a notification to all subscribers, a page of them per turn, so that a source with a hundred thousand subscribers
 * neither fills a record nor keeps others waiting. Notifications are told one after the other, which keeps their order.
 *
 *     fan/<seq>  {notification, after}      `after` = the last subscriber row that has been told
 */
import type { Notification } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { FAN_OUT, SUBSCRIBER } from "./rows.ts";
import { sinceOf, wantsEdits } from "./subscribers.ts";

/** Subscribers that are told in one turn. */
const PAGE = 1_000;

interface Progress {
  readonly notification: Notification;
  readonly after: string;
}

/**
 * Tells `fresh` (in order) and what earlier turns left over. What does not fit this turn is kept as rows, and the turn asks
 * for another. `mayHaveLeft` is false when the caller knows that there is nothing left over; returns whether there is now.
 */
export function fanOut(turn: Turn, fresh: readonly Notification[], mayHaveLeft = true): boolean {
  const rows = mayHaveLeft ? turn.list(withPrefix(FAN_OUT)) : [];
  const left = rows.map(({ value }) => JSON.parse(value) as Progress);
  const all = [...left, ...fresh.map((notification) => ({ notification, after: "" }))];
  let room = PAGE;
  for (const [at, progress] of all.entries()) {
    const isKept = at < left.length;
    const page = room > 0 ? tellPage(turn, progress, room) : null;
    room = page === null ? 0 : page.room;
    keepProgress(turn, progress, page?.after ?? progress.after, page?.isDone ?? false, isKept);
    if (page !== null && !page.isDone) room = 0;
  }
  return turn.wantsAnother;
}

/** Tells one page: where it ended, whether that was the end, and how much room is left in this turn. */
function tellPage(turn: Turn, { notification, after }: Progress, room: number) {
  const from = after === "" ? SUBSCRIBER : `${after}\u0001`;
  const rows = turn.list({ from, to: `${SUBSCRIBER}\uffff`, limit: room });
  const isEdit = notification.editOf !== undefined;
  const users = rows
    .filter(({ value }) => sinceOf(value) < notification.seq && (!isEdit || wantsEdits(value)))
    .map(({ key }) => key.slice(key.lastIndexOf("/") + 1));
  turn.tell(users, { type: "notified", notification });
  return { after: rows.at(-1)?.key ?? after, isDone: rows.length < room, room: room - rows.length };
}

function keepProgress(
  turn: Turn,
  { notification }: Progress,
  after: string,
  isDone: boolean,
  isKept: boolean,
): void {
  const key = FAN_OUT + String(notification.seq).padStart(12, "0");
  if (!isDone) {
    turn.put(key, { notification, after });
    turn.wantsAnother = true;
  } else if (isKept) turn.delete(key);
}
