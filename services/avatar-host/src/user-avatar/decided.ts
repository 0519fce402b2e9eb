/** Counts what is decided of deliveries, by what and why: what is held, and what holds it. */
import { counter } from "@tidings/runtime";
import type { DeliveriesRow } from "./rows.ts";

const DECIDED = counter("tidings_decisions_total", "What was decided of deliveries, and why.", [
  "state",
  "because",
]);

/** The row `before` has become `after`. */
export function countDecided(before: DeliveriesRow | undefined, after: DeliveriesRow): void {
  if (before === after) return;
  const last = before?.trace.at(-1);
  // A trace only grows, and forgets its beginning.
  const known = last === undefined ? -1 : after.trace.lastIndexOf(last);
  for (const { state, because } of after.trace.slice(known + 1))
    if (because !== undefined && state !== null) DECIDED.inc({ state, because });
}
