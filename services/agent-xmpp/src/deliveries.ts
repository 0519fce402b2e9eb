/** Carries out dispatches and says what became of them; the rules are in handover.ts and in the memory of packages/agent. */
import { DeliveryMemory, deliveryKey, type Refusal, type ReportedState, type Reporter } from "@tidings/agent";
import { type Bus, IllegalTextError } from "@tidings/bus";
import {
  type Addresses,
  bareJid,
  CallError,
  type Dispatch,
  type Element,
  readError,
  splitJid,
  xml,
} from "@tidings/protocol";
import { crashPoint, type Log } from "@tidings/runtime";
import { deliveryMessage } from "./delivery-message.ts";
import { Handover, isProof } from "./handover.ts";
import { NS } from "./namespaces.ts";

const PROOF_TIMEOUT_MS = 10_000;
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

export class Deliveries {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #reporter: Reporter;
  readonly #log: Log;
  readonly #memory = new DeliveryMemory();
  readonly #handover = new Handover();

  constructor(bus: Bus, addresses: Addresses, reporter: Reporter, log: Log) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#reporter = reporter;
    this.#log = log;
  }

  /** Sends what has not been sent yet; for the rest, says again what is known of it. */
  carryOut(dispatches: readonly Dispatch[]): void {
    const domains = new Set<string>();
    for (const dispatch of dispatches) {
      const begun = this.#memory.begin(dispatch, Date.now());
      if (typeof begun === "string") domains.add(this.#sendTo(dispatch, begun));
      else if (begun.report !== null) this.#reporter.report(begun.report);
    }
    for (const domain of domains) void this.#prove(domain);
  }

  /** A message of type error has come. True when it is one of ours that came back. */
  bounced(message: Element): boolean {
    const key = keyOf(message, message.attrs.id);
    if (key === null) return false;
    const error = readError(message);
    this.#handover.bounced(splitJid(String(message.attrs.from)).domain, key);
    const refusal = {
      condition: error.condition,
      mayRetry: error.type === "wait" || PASSING.has(error.condition),
    };
    return this.#advance(key, "refused", refusal);
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
  }

  #sendTo(dispatch: Dispatch, key: string): string {
    const { domain } = splitJid(dispatch.address);
    const message = deliveryMessage(dispatch, `${dispatch.user}@${this.#addresses.im}`);
    this.#handover.sent(domain, key);
    crashPoint("agent.message.before");
    this.#bus.send(message).catch((error: unknown) => {
      this.#log.warn({ err: error, notification: dispatch.notification.id }, "a delivery was not sent");
      this.#handover.bounced(domain, key);
      const isIllegal = error instanceof IllegalTextError;
      this.#advance(key, "refused", {
        condition: isIllegal ? "not-acceptable" : "service-unavailable",
        mayRetry: !isIllegal,
      });
    });
    crashPoint("agent.message.after");
    return domain;
  }

  /** Pings `domain` until nothing sent there is unproven. */
  async #prove(domain: string): Promise<void> {
    while (this.#handover.beginPing(domain)) {
      const failure = await this.#ping(domain);
      for (const key of this.#handover.endPing(domain)) {
        if (failure === null) this.#advance(key, "handed");
        else this.#advance(key, "refused", { condition: failure, mayRetry: true });
      }
    }
  }

  /** Null when the server at `domain` answered, in whatever way; else the condition of the failure. */
  async #ping(domain: string): Promise<string | null> {
    try {
      const ping = xml(
        "iq",
        { type: "get", from: this.#addresses.im, to: domain },
        xml("ping", { xmlns: NS.ping }),
      );
      await this.#bus.request(ping, PROOF_TIMEOUT_MS);
      return null;
    } catch (error) {
      if (!(error instanceof CallError)) return "service-unavailable";
      return isProof(error.condition) ? null : error.condition;
    }
  }

  #advance(key: string, state: ReportedState, refusal?: Refusal): boolean {
    const report = this.#memory.advance(key, state, Date.now(), refusal);
    if (report === null) return false;
    this.#log.debug({ notification: report.notification, user: report.user, state }, "delivery reported");
    this.#reporter.report(report);
    return true;
  }
}

/** The delivery that a message from its address speaks of, by the id of what was sent. */
function keyOf(message: Element, id: unknown): string | null {
  const { from, to } = message.attrs as Record<string, string | undefined>;
  if (typeof id !== "string" || id === "" || from === undefined || to === undefined) return null;
  return deliveryKey(splitJid(to).local, id, bareJid(from));
}
