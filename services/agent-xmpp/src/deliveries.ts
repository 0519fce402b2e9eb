/** Carries out dispatches and says what became of them; the rules are in handover.ts and in the memory of packages/agent. */
import {
  BoundedMap,
  type Delivery,
  DeliveryMemory,
  deliveryKey,
  type Refusal,
  type ReportedState,
  type Reporter,
} from "@tidings/agent";
import { type Bus, IllegalTextError } from "@tidings/bus";
import {
  type Addresses,
  bareJid,
  type Dispatch,
  type Element,
  messageId,
  readError,
  SYSTEM_SOURCE,
  splitJid,
} from "@tidings/protocol";
import { crashPoint, type Log } from "@tidings/runtime";
import { deliveryMessage } from "./delivery-message.ts";
import { InTurn } from "./in-turn.ts";
import { NS } from "./namespaces.ts";
import { Proof } from "./proof.ts";
import { RecentMessages } from "./recent-messages.ts";

/** Avatars doubt for ten minutes whether what was handed has arrived, when its client leaves; before that it may wait for a server (milliseconds). */
const LATELY_MS = 900_000;
const MAX_LATELY = 50_000;
const MAX_LATELY_CHARS = 15_000_000;
/**
 * Errors that say where the user is now, not that the address is wrong (RFC 6120 §8.3.3). A server without room for
 * offline messages says service-unavailable (RFC 6121 §8.5.2.2.1) to what comes just after its user has left.
 */
const PASSING = new Set([
  "recipient-unavailable",
  "remote-server-not-found",
  "remote-server-timeout",
  "resource-constraint",
  "service-unavailable",
]);

interface Sent {
  readonly user: string;
  readonly address: string;
  /** On the own monotonic clock (milliseconds). */
  readonly sentMs: number;
}

export class Deliveries {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #reporter: Reporter;
  readonly #log: Log;
  readonly #memory = new DeliveryMemory();
  readonly #proof: Proof;
  readonly #onLost: (user: string, address: string) => void;
  /** To whom something was sent lately, by user and address. */
  readonly #lately = new BoundedMap<string, Sent>(MAX_LATELY, MAX_LATELY_CHARS);
  readonly #recent = new RecentMessages();
  readonly #inTurn = new InTurn<Dispatch>();

  /** `onLost` hears of addresses whose server was started again soon after something had gone there. */
  constructor(
    bus: Bus,
    addresses: Addresses,
    reporter: Reporter,
    onLost: (user: string, address: string) => void,
    log: Log,
  ) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#reporter = reporter;
    this.#log = log;
    this.#onLost = onLost;
    this.#proof = new Proof({
      bus,
      from: addresses.im,
      onTaken: (key) => {
        this.#advance(key, "handed");
        this.#settled(key, null);
      },
      onLost: (key, condition) => this.#refused(key, { condition, mayRetry: true }),
      onNewLife: (domain, sinceMs) => this.#livesAnew(domain, sinceMs),
    });
  }

  /** Sends what has not been sent yet, in its turn; for the rest, says again what is known of it. */
  carryOut(dispatches: readonly Dispatch[]): void {
    const domains = new Set<string>();
    const busy = new Set(dispatches.map(({ address }) => address).filter((one) => this.#inTurn.isBusy(one)));
    for (const dispatch of dispatches) {
      const message = messageId(dispatch.notification.id, dispatch.wantedFrom);
      const begun = this.#memory.begin(dispatch, Date.now(), message);
      if (typeof begun === "string") {
        if (busy.has(dispatch.address)) this.#inTurn.wait(dispatch.address, begun, dispatch);
        else domains.add(this.#sendTo(dispatch, begun));
      } else if (begun.report !== null) this.#reporter.report(begun.report);
    }
    for (const domain of domains) void this.#proof.begin(domain);
  }

  /** A client has shown itself: its server may have been started again, and have lost what it had taken. */
  async showed(user: string, address: string): Promise<void> {
    const wasSent = this.#lately.get(`${user} ${address}`, Date.now()) !== undefined;
    if (wasSent) await this.#proof.look(splitJid(address).domain);
  }

  /** A message of type error has come. True when it is one of ours that came back. */
  bounced(message: Element): boolean {
    const key = keyOf(message, message.attrs.id);
    if (key === null) return false;
    const error = readError(message);
    this.#proof.bounced(splitJid(String(message.attrs.from)).domain, key);
    const refusal = {
      condition: error.condition,
      mayRetry: error.type === "wait" || PASSING.has(error.condition),
    };
    return this.#refused(key, refusal);
  }

  /** What went to the bare JID `address` of `user` in the message `id`, as far as this life of the agent knows. */
  sentIn(user: string, address: string, id: string): Delivery | undefined {
    return this.#memory.get(deliveryKey(user, id, address), Date.now());
  }

  /** The id of the message that went there last, as far as this life of the agent knows. */
  lastTo(user: string, address: string): string | null {
    return this.#recent.last(user, address, Date.now());
  }

  /** A receipt (XEP-0184) or a marker (XEP-0333) may be in `message`; it counts for the address it comes from alone. */
  confirmed(message: Element): void {
    const received = message.getChild("received", NS.receipts) ?? message.getChild("received", NS.markers);
    const displayed = message.getChild("displayed", NS.markers);
    for (const [marker, state] of [
      [received, "received"],
      [displayed, "displayed"],
    ] as const) {
      const key = keyOf(message, marker?.attrs.id);
      if (key !== null) this.#advance(key, state);
    }
    if (displayed !== undefined) this.#displayedUpTo(message, String(displayed.attrs.id));
  }

  /**
   * A marker speaks of all messages up to the one that it names (XEP-0333 §5). What the client has not confirmed may have gone
   * with another resource, and is left as it is.
   */
  #displayedUpTo({ attrs }: Element, id: string): void {
    const user = splitJid(String(attrs.to)).local;
    const address = bareJid(attrs.from);
    for (const earlier of this.#recent.before(user, address, id, Date.now())) {
      const delivery = this.sentIn(user, address, earlier);
      if (delivery?.report?.state === "received")
        this.#advance(deliveryKey(user, earlier, address), "displayed");
    }
  }

  #sendTo(dispatch: Dispatch, key: string): string {
    const { domain } = splitJid(dispatch.address);
    const message = deliveryMessage(dispatch, `${dispatch.user}@${this.#addresses.im}`);
    const { user, address } = dispatch;
    this.#proof.sent(domain, key);
    this.#inTurn.sent(address, key);
    this.#lately.set(
      `${user} ${address}`,
      { user, address, sentMs: performance.now() },
      LATELY_MS,
      Date.now(),
    );
    this.#noteRecent(dispatch, message.attrs.id);
    crashPoint("agent.message.before");
    this.#bus.send(message).catch((error: unknown) => {
      this.#log.warn({ err: error, trace: dispatch.notification.id }, "a delivery was not sent");
      this.#proof.bounced(domain, key);
      const isIllegal = error instanceof IllegalTextError;
      this.#refused(key, {
        condition: isIllegal ? "not-acceptable" : "service-unavailable",
        mayRetry: !isIllegal,
      });
    });
    crashPoint("agent.message.after");
    return domain;
  }

  #noteRecent({ user, address, notification, corrects }: Dispatch, id: string): void {
    // A test of the address is in no history, and a correction no news: there is nothing to be said about them.
    if (notification.source === SYSTEM_SOURCE || corrects !== undefined) return;
    this.#recent.note(user, address, id, Date.now());
  }

  #livesAnew(domain: string, sinceMs: number): void {
    for (const { user, address, sentMs } of [...this.#lately.values(Date.now())]) {
      if (splitJid(address).domain !== domain || sentMs >= sinceMs) continue;
      this.#lately.delete(`${user} ${address}`);
      this.#onLost(user, address);
    }
  }

  #refused(key: string, refusal: Refusal): boolean {
    const isNews = this.#advance(key, "refused", refusal);
    this.#settled(key, refusal.mayRetry ? refusal : null);
    return isNews;
  }

  /** Nothing more will be heard of the way of `key` to the server; `refusal`: it has to be tried again. */
  #settled(key: string, refusal: Refusal | null): void {
    const address = addressIn(key);
    const behind = this.#inTurn.settled(address, key, refusal);
    if (behind === null || behind.waited.size === 0) return;
    for (const [waited, dispatch] of behind.waited) {
      if (behind.refusal === null) this.#sendTo(dispatch, waited);
      else this.#advance(waited, "refused", behind.refusal);
    }
    void this.#proof.begin(splitJid(address).domain);
  }

  #advance(key: string, state: ReportedState, refusal?: Refusal): boolean {
    const report = this.#memory.advance(key, state, Date.now(), refusal);
    if (report === null) return false;
    this.#log.debug({ trace: report.notification, user: report.user, state }, "delivery reported");
    this.#reporter.report(report);
    return true;
  }
}

/** The address in the key of a delivery; a bare JID has no space in it (RFC 7622 §3.3.1). */
function addressIn(key: string): string {
  return key.slice(key.lastIndexOf(" ") + 1);
}

/** The delivery that a message from its address speaks of, by the id of what was sent. */
function keyOf(message: Element, id: unknown): string | null {
  const { from, to } = message.attrs as Record<string, string | undefined>;
  if (typeof id !== "string" || id === "" || from === undefined || to === undefined) return null;
  return deliveryKey(splitJid(to).local, id, bareJid(from));
}
