import type { ReportedState } from "@tidings/agent";

/** What the provider says of a message later. */
export interface StatusNews {
  readonly delivery: number;
  readonly attempt: number;
  readonly sid: string;
  readonly status: string;
  /** The provider's error code, NaN when there is none. */
  readonly code: number;
}

/**
 * How far a delivery has come whose message has `status`; null for what says nothing.
 * https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
 */
export function stateOf(status: string): ReportedState | null {
  switch (status) {
    case "queued":
    case "accepted":
    case "sending":
    case "sent":
      return "handed";
    case "delivered":
      return "received";
    case "undelivered":
    case "failed":
    case "canceled":
      return "refused";
    default:
      return null;
  }
}
