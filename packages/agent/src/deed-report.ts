import type { Deed, DeliveryReport } from "@tidings/protocol";
import type { Delivery } from "./delivery-memory.ts";

/** The report that a user has done `deed` in answer to `delivery`; the same `id` for the same answer, however often it comes. */
export function deedReport(id: string, delivery: Delivery, deed: Deed, nowAt: number): DeliveryReport {
  const { user, notification, destination, attempt } = delivery;
  return {
    kind: "delivery",
    user,
    notification,
    destination,
    attempt,
    state: "acted",
    condition: null,
    mayRetry: false,
    did: { id, deed },
    at: nowAt,
  } as DeliveryReport;
}
