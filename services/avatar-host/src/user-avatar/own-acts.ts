/**
 * What the user does with a notification, wherever it reached them. Pure: a row becomes another.
 *
 *     read          seen on the page: a wait for proof that they have it is over
 *     acknowledge   nobody need tell them any more: what is held is left out
 *     put off       all of it is held until then, and comes again as if it were new
 *     again         comes again now
 */
import { shorten } from "@tidings/protocol";
import { TRACE_STEPS, wantedAgain } from "./progress.ts";
import { type DeliveriesRow, type Delivery, PAGE } from "./rows.ts";

/** Of an answer, in the trace (characters). */
const SHOWN_CHARS = 200;

/** Read on the page. What is acknowledged or put off stays that. */
export function read(row: DeliveriesRow, nowAt: number): DeliveriesRow {
  if (ownState(row, nowAt) !== null) return row;
  return noted({ ...row, own: { state: "read", at: nowAt } }, null, "read", nowAt);
}

/** Acknowledged at `destination`, or on the page (null), which is a destination too where it was sent or shown there. */
export function acknowledged(row: DeliveriesRow, destination: string | null, nowAt: number): DeliveriesRow {
  if (row.own?.state === "acked") return row;
  const deliveries = row.deliveries.map((delivery) =>
    delivery.destination === (destination ?? PAGE.id) && isSent(delivery)
      ? ({ ...delivery, state: "acted", at: nowAt, reason: "the user has acknowledged it" } as const)
      : delivery,
  );
  const { againAt: _, ...rest } = row;
  return noted(
    { ...rest, deliveries, own: { state: "acked", at: nowAt } },
    destination,
    "acknowledged",
    nowAt,
  );
}

/** Put off until `untilAt`, at `destination` or on the page (null). */
export function putOff(
  row: DeliveriesRow,
  untilAt: number,
  destination: string | null,
  nowAt: number,
): DeliveriesRow {
  const reason = `snoozed until ${new Date(untilAt).toISOString()}`;
  const deliveries = row.deliveries.map(
    (delivery): Delivery =>
      isKept(delivery) ? delivery : { ...wantedAgain(delivery, reason, nowAt), untilAt, because: "snoozed" },
  );
  const own = { state: "snoozed", at: nowAt, untilAt } as const;
  return noted({ ...row, deliveries, own, againAt: untilAt }, destination, reason, nowAt);
}

/** To come again now, also where it was refused or given up. */
export function again(row: DeliveriesRow, nowAt: number): DeliveriesRow {
  const deliveries = row.deliveries.map((delivery) =>
    delivery.state === "skipped" ? delivery : wantedAgain(delivery, "asked for again", nowAt),
  );
  const { own: _, ...rest } = row;
  return noted({ ...rest, deliveries, againAt: nowAt }, null, "asked for again", nowAt);
}

/** Answered in these words, at `destination` or on the page (null). */
export function answered(
  row: DeliveriesRow,
  said: string,
  destination: string | null,
  nowAt: number,
): DeliveriesRow {
  return noted({ ...row, answered: said }, destination, `answered "${shorten(said, SHOWN_CHARS)}"`, nowAt);
}

/** The source has the answer, or will not get it; then the user can answer again. */
export function answerSettled(row: DeliveriesRow, problem: string | null, nowAt: number): DeliveriesRow {
  if (problem === null) return step(row, null, "the source has your answer", nowAt);
  const { answered: _, ...rest } = row;
  return step(rest, null, `the source did not get your answer: ${problem}`, nowAt);
}

/** What the user has said of it that counts at `nowAt`; null when nothing does. */
export function ownState({ own }: DeliveriesRow, nowAt: number): "read" | "acked" | "snoozed" | null {
  if (own === undefined || (own.untilAt !== undefined && own.untilAt <= nowAt)) return null;
  return own.state;
}

function isSent({ state }: Delivery): boolean {
  return state !== "held" && state !== "skipped" && state !== "refused" && state !== "expired";
}

/** A refusal for good stays; what was left out is decided anew with the rest. */
function isKept({ state }: Delivery): boolean {
  return state === "refused" || state === "skipped";
}

function noted(row: DeliveriesRow, destination: string | null, what: string, nowAt: number): DeliveriesRow {
  return step(row, destination, `${what} by the user`, nowAt);
}

function step(row: DeliveriesRow, destination: string | null, what: string, nowAt: number): DeliveriesRow {
  return { ...row, trace: [...row.trace, { at: nowAt, destination, state: null, what }].slice(-TRACE_STEPS) };
}
