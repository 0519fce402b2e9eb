/** What has changed since a page has looked last. */
import type { CallArgs, CallResult, HistoryItem, Notification, PresenceView, Stand } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { deliveriesOf, itemOf } from "./history.ts";
import { HISTORY } from "./rows.ts";

/** So many of the newest notifications are looked at: what moves on further back is seen when the page asks for it. */
const LOOKED_AT = 100;

export function changesSince(
  turn: Turn,
  { since }: CallArgs<"changes">,
  presence: PresenceView[],
): CallResult<"changes"> {
  const numbered = newest(turn);
  const stand: Stand = { number: numbered[0]?.number ?? since?.number ?? "", at: turn.nowAt };
  const [fresh, moved]: [HistoryItem[], HistoryItem[]] = [[], []];
  if (since === null) return { fresh, moved, presence, isCut: false, stand };
  for (const { number, value } of numbered.reverse()) {
    const isFresh = number > since.number;
    if (isFresh || lastMovedAt(turn, number) >= since.at)
      (isFresh ? fresh : moved).push(itemOf(turn, number, JSON.parse(value) as Notification));
  }
  return { fresh, moved, presence, isCut: fresh.length === LOOKED_AT, stand };
}

/** The numbers of those that are looked at, newest first. */
export function newestNumbers(turn: Turn): string[] {
  return newest(turn).map(({ number }) => number);
}

function newest(turn: Turn): { readonly number: string; readonly value: string }[] {
  const rows = turn.list({ from: HISTORY, to: `${HISTORY}\uffff`, limit: LOOKED_AT, reverse: true });
  return rows.map(({ key, value }) => ({ number: key.slice(HISTORY.length), value }));
}

function lastMovedAt(turn: Turn, number: string): number {
  return deliveriesOf(turn, number)?.trace.at(-1)?.at ?? 0;
}
