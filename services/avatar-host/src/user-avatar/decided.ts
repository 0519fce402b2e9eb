/** Counts and logs what is decided of deliveries, and why: what is held, and what holds it. */
import type { Notification } from "@tidings/protocol";
import { counter } from "@tidings/runtime";
import type { Turn } from "../shard/turn.ts";
import { type DeliveriesRow, HISTORY } from "./rows.ts";

const DECIDED = counter("tidings_decisions_total", "What was decided of deliveries, and why.", [
  "state",
  "because",
]);

/** The row `before` of the notification `number` has become `after`. */
export function noteDecided(
  turn: Turn,
  number: string,
  before: DeliveriesRow | undefined,
  after: DeliveriesRow,
): void {
  if (before === after) return;
  const last = before?.trace.at(-1);
  // A trace only grows, and forgets its beginning.
  const known = last === undefined ? -1 : after.trace.lastIndexOf(last);
  for (const { destination, state, because } of after.trace.slice(known + 1)) {
    if (because === undefined || state === null) continue;
    DECIDED.inc({ state, because });
    turn.reasons.push(() => {
      const trace = turn.get<Notification>(HISTORY + number)?.id;
      return { ...(trace === undefined ? {} : { trace }), destination, state, because };
    });
  }
}
