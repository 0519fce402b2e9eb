/**
 * What has been sent, for 24 hours unless told otherwise: so that a dispatch that comes again is not sent again, and that a receipt is believed
 * only from the address to which the message went.
 *
 *     sent ──proof──▶ handed ──receipt──▶ received ──marker──▶ displayed
 *       └──bounce, or no proof──▶ refused ──higher attempt──▶ sent
 */
import { type DeliveryReport, type Dispatch, MAX_REASON_CHARS, shorten } from "@tidings/protocol";
import { BoundedMap } from "./bounded-map.ts";
import { ChannelLatency } from "./channel-latency.ts";

export type ReportedState = "handed" | "received" | "displayed" | "acted" | "refused";

/** Where a memory keeps what it knows of each delivery: in a bounded map, or on disk where a repeat would cost money. */
export interface DeliveryStore {
  /** What is kept under `key` and not out of date at `nowAt` (epoch milliseconds). */
  get(key: string, nowAt: number): Delivery | undefined;
  /** Keeps `delivery` for `ttlMs` from `nowAt`. */
  set(key: string, delivery: Delivery, ttlMs: number, nowAt: number): void;
}

const KEPT_MS = 24 * 3_600_000;
const MAX_ENTRIES = 200_000;
/** Addresses may be 3,071 characters long: without this bound they could fill the memory. */
const MAX_KEY_CHARS = 60_000_000;
const RANK: Record<ReportedState, number> = { handed: 1, refused: 2, received: 3, displayed: 4, acted: 5 };

export interface Delivery {
  readonly user: string;
  readonly address: string;
  readonly notification: string;
  readonly destination: string;
  readonly attempt: number;
  /** The last thing reported of it; null while there is nothing. */
  readonly report: DeliveryReport | null;
}

/** Why a delivery is refused, and whether a later try may help. */
export interface Refusal {
  readonly condition: string;
  readonly mayRetry: boolean;
  /** Why, and what can be done about it, in a sentence for the user. */
  readonly text?: string;
}

/** One delivery: a message id at one address of one user. */
export function deliveryKey(user: string, message: string, address: string): string {
  return `${user} ${message} ${address}`;
}

export class DeliveryMemory {
  readonly #deliveries: DeliveryStore;
  readonly #keptMs: number;
  readonly #latency = new ChannelLatency();

  /** Remembers each delivery for `keptMs` after the last thing that was noted of it. */
  constructor(
    store: DeliveryStore = new BoundedMap<string, Delivery>(MAX_ENTRIES, MAX_KEY_CHARS),
    keptMs: number = KEPT_MS,
  ) {
    this.#deliveries = store;
    this.#keptMs = keptMs;
  }

  /**
   * Notes that `dispatch` is being carried out, under the id `message`. Returns its key, or the delivery that was noted
   * before when this attempt (or a later one) has been sent already.
   */
  begin(dispatch: Dispatch, nowAt: number, message: string = dispatch.notification.id): string | Delivery {
    const { user, notification, address, destination, attempt } = dispatch;
    const key = deliveryKey(user, message, address);
    const before = this.#deliveries.get(key, nowAt);
    if (before !== undefined && before.attempt >= attempt) return before;
    const delivery = { user, address, notification: notification.id, destination, attempt, report: null };
    this.#deliveries.set(key, delivery, this.#keptMs, nowAt);
    this.#latency.begun(key, dispatch, nowAt);
    return key;
  }

  /** What is known of the delivery `key` at `nowAt` (epoch milliseconds). */
  get(key: string, nowAt: number): Delivery | undefined {
    return this.#deliveries.get(key, nowAt);
  }

  /** The report to make when the delivery `key` has come to `state`; null when it is unknown, or was further already. */
  advance(key: string, state: ReportedState, nowAt: number, refusal?: Refusal): DeliveryReport | null {
    const delivery = this.#deliveries.get(key, nowAt);
    if (delivery === undefined) return null;
    if (delivery.report !== null && RANK[delivery.report.state] >= RANK[state]) return null;
    const { user, notification, destination, attempt } = delivery;
    const report = {
      kind: "delivery",
      user,
      notification,
      destination,
      attempt,
      state,
      condition: refusal?.condition ?? null,
      mayRetry: refusal?.mayRetry ?? false,
      ...(refusal?.text === undefined ? {} : { text: shorten(refusal.text, MAX_REASON_CHARS) }),
      at: nowAt,
    } as DeliveryReport;
    this.#deliveries.set(key, { ...delivery, report }, this.#keptMs, nowAt);
    this.#latency.ended(key, state, nowAt);
    return report;
  }
}
