/**
 * What happens to one notification at the user's open pages, which are a destination like others: `web`. A page that shows what
 * it was not asked to show is proof all the same. Pure.
 *
 *     dispatched ──sent to a page──▶ handed ──shown there──▶ received ──the user acts there──▶ acted
 *          ▲                           │
 *          └────held: the page closed──┘
 */
import { heldAgain, TRACE_STEPS } from "./progress.ts";
import { type DeliveriesRow, type Delivery, PAGE } from "./rows.ts";

/** It was sent to an open page. The same row when it was not on its way there. */
export function sentToPage(row: DeliveriesRow, nowAt: number): DeliveriesRow {
  return changed(row, nowAt, (delivery) =>
    delivery.state === "dispatched" ? moved(delivery, "handed", "sent to an open page", nowAt) : delivery,
  );
}

/** It was shown on an open page. The same row when that is known. */
export function shownOnPage(row: DeliveriesRow, nowAt: number): DeliveriesRow {
  if (row.deliveries.some(({ destination }) => destination === PAGE.id))
    return changed(row, nowAt, (delivery) =>
      isThere(delivery) ? delivery : moved(delivery, "received", SHOWN, nowAt),
    );
  const rest = { attempt: 1, heldSinceAt: null, sentAt: nowAt } as const;
  const delivery = { ...rest, destination: PAGE.id, channel: PAGE.channel } as const;
  return withStep(
    row,
    [...row.deliveries, { ...delivery, state: "received", at: nowAt, reason: SHOWN }],
    nowAt,
  );
}

/** The last page was closed: what nobody has seen there is held again. */
export function leftWithPage(row: DeliveriesRow, nowAt: number): DeliveriesRow {
  return changed(row, nowAt, (delivery) =>
    isOnItsWay(delivery) ? heldAgain(delivery, "the page was closed before it was shown", nowAt) : delivery,
  );
}

/** Whether it is dispatched or handed to the pages. */
export function isAwaitedAtPage(row: DeliveriesRow | undefined): boolean {
  return row?.deliveries.some((one) => one.destination === PAGE.id && isOnItsWay(one)) ?? false;
}

const SHOWN = "shown on the page";

function isOnItsWay({ state }: Delivery): boolean {
  return state === "dispatched" || state === "handed";
}

function isThere({ state }: Delivery): boolean {
  return state === "received" || state === "displayed" || state === "acted";
}

function moved(
  { because: _, untilAt: __, retryAt: ___, ...delivery }: Delivery,
  state: "handed" | "received",
  reason: string,
  nowAt: number,
): Delivery {
  return { ...delivery, state, at: nowAt, reason, sentAt: delivery.sentAt ?? nowAt };
}

function changed(row: DeliveriesRow, nowAt: number, change: (delivery: Delivery) => Delivery): DeliveriesRow {
  const deliveries = row.deliveries.map((one) => (one.destination === PAGE.id ? change(one) : one));
  const isSame = deliveries.every((delivery, at) => delivery === row.deliveries[at]);
  return isSame ? row : withStep(row, deliveries, nowAt);
}

function withStep(row: DeliveriesRow, deliveries: readonly Delivery[], nowAt: number): DeliveriesRow {
  const own = deliveries.find(({ destination }) => destination === PAGE.id);
  const step = { at: nowAt, destination: PAGE.id, state: own?.state ?? null, what: own?.reason ?? "" };
  return { ...row, deliveries, trace: [...row.trace, step].slice(-TRACE_STEPS) };
}
