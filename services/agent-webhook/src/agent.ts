/** The agent for webhooks: what shards order is posted to the URLs of users. A URL shows no presence and answers nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { type DeliveryLedger, Orders, type PatientCarrier, Reporter } from "@tidings/agent";
import type { Bus } from "@tidings/bus";
import type { Poster } from "@tidings/outbound";
import type { Addresses, Dispatch } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { webhookCarrier } from "./deliveries.ts";

/** Below the deadline in which a service stops. */
const DRAIN_MS = 8_000;

export interface AgentMeans {
  /** Connected as the component of the agent's domain. */
  readonly bus: Bus;
  readonly addresses: Addresses;
  readonly poster: Pick<Poster, "post">;
  readonly ledger: DeliveryLedger;
  readonly log: Log;
  /** See the carrier. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Agent {
  readonly #reporter: Reporter;
  readonly #deliveries: PatientCarrier;

  constructor(means: AgentMeans) {
    const { bus, addresses, log } = means;
    this.#reporter = new Reporter(bus, addresses, log, Date.now());
    this.#deliveries = webhookCarrier({ ...means, reporter: this.#reporter });
    const carryOut = (dispatches: readonly Dispatch[]) => this.#deliveries.carryOut(dispatches);
    const orders = new Orders(addresses, this.#reporter, { carryOut, ask: () => {} }, log);
    this.#deliveries.sayAgain(Date.now());
    bus.onOnline(() => this.#reporter.announce());
    bus.onStanza((stanza) => void orders.heard(stanza));
  }

  /** Resolves when what was posted has been answered, or after 8 s. */
  async stop(): Promise<void> {
    await Promise.race([this.#deliveries.stop(), sleep(DRAIN_MS, undefined, { ref: false })]);
    this.#reporter.stop();
  }
}
