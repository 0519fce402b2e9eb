/**
 * The agent for e-mail: what comes over the bus and by mail, and who sees to it.
 *
 *     from a shard:    Orders: dispatches ─▶ Deliveries ─▶ the relay    reported ─▶ Reporter
 *     from a mailbox:  heard: bounces ─▶ Deliveries    replies ─▶ Answers ─▶ Reporter
 *
 * A mailbox shows no presence, so asks are left without an answer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type DeliveryLedger, Orders, type PatientCarrier, Reporter, Standings } from "@tidings/agent";
import type { Bus } from "@tidings/bus";
import type { Addresses, Dispatch } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { Answers } from "./answers.ts";
import { mailCarrier } from "./deliveries.ts";
import type { Sender } from "./mail.ts";
import type { MailRelay } from "./relay.ts";

/** Below the deadline in which a service stops. A relay that is slower has its message again from the next life. */
const DRAIN_MS = 8_000;

export interface AgentMeans {
  /** Connected as the component of the agent's domain. */
  readonly bus: Bus;
  readonly addresses: Addresses;
  readonly relay: MailRelay;
  readonly ledger: DeliveryLedger;
  readonly sender: Sender;
  readonly log: Log;
  /** See the carrier. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Agent {
  readonly #reporter: Reporter;
  readonly #deliveries: PatientCarrier;
  readonly #answers: Answers;

  constructor(means: AgentMeans) {
    const { bus, addresses, log } = means;
    this.#reporter = new Reporter(bus, addresses, log, Date.now());
    this.#deliveries = mailCarrier({ ...means, reporter: this.#reporter });
    this.#answers = new Answers({
      ...means,
      tokens: means.sender.tokens,
      reporter: this.#reporter,
      standings: new Standings(bus, addresses),
      cameBack: (entry, attempt, refusal) => this.#deliveries.cameBack(entry, attempt, refusal),
    });
    const carryOut = (dispatches: readonly Dispatch[]) => this.#deliveries.carryOut(dispatches);
    const orders = new Orders(addresses, this.#reporter, { carryOut, ask: () => {} }, log);
    this.#deliveries.sayAgain(Date.now());
    bus.onOnline(() => this.#reporter.announce());
    bus.onStanza((stanza) => void orders.heard(stanza));
  }

  /** Mail came to `recipient`; see {@link Answers.heard}. */
  heard(mail: Buffer, recipient: string): Promise<void> {
    return this.#answers.heard(mail, recipient, Date.now());
  }

  /** Somebody pressed "unsubscribe"; see {@link Answers.unsubscribed}. */
  unsubscribed(token: string): boolean {
    return this.#answers.unsubscribed(token, Date.now());
  }

  /** Resolves when the relay has answered what was sent, or after 8 s. */
  async stop(): Promise<void> {
    await Promise.race([this.#deliveries.stop(), sleep(DRAIN_MS, undefined, { ref: false })]);
    this.#reporter.stop();
  }
}
