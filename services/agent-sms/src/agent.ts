/**
 * The agent for text messages: what comes over the bus and from the provider, and who sees to it.
 *
 *     from a shard:       Orders: dispatches ─▶ Deliveries    reported ─▶ Reporter
 *     from the provider:  callbacks: status ─▶ Deliveries     answers ─▶ Replies ─▶ Reporter
 *
 * A phone shows no presence, so asks are left without an answer: whether it is the right time is the avatar's to know.
 */
import { Orders, Reporter, Standings } from "@tidings/agent";
import type { Bus } from "@tidings/bus";
import type { Addresses, Dispatch } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Limits } from "./allowance.ts";
import { Deliveries } from "./deliveries.ts";
import type { Ledger } from "./ledger.ts";
import { readNumber } from "./phone-number.ts";
import type { Provider } from "./provider.ts";
import { type Heard, Replies } from "./replies.ts";
import { segmentsOf } from "./segments.ts";
import type { StatusNews } from "./status-news.ts";

export interface AgentMeans {
  /** Connected as the component of the agent's domain. */
  readonly bus: Bus;
  readonly addresses: Addresses;
  readonly provider: Provider;
  readonly ledger: Ledger;
  readonly limits: Limits;
  /** ISO 3166-1 codes of the countries to which messages may go. */
  readonly countries: ReadonlySet<string>;
  /** See {@link Deliveries}. */
  readonly callbackUrl: string | null;
  readonly log: Log;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Agent {
  readonly #means: AgentMeans;
  readonly #reporter: Reporter;
  readonly #deliveries: Deliveries;
  readonly #replies: Replies;

  constructor(means: AgentMeans) {
    const { bus, addresses, ledger, log } = means;
    this.#means = means;
    this.#reporter = new Reporter(bus, addresses, log, Date.now());
    this.#deliveries = new Deliveries({ ...means, reporter: this.#reporter });
    this.#replies = new Replies({
      ledger,
      standings: new Standings(bus, addresses),
      reporter: this.#reporter,
      mayAnswer: (number, text) => this.#mayAnswer(number, text),
      log,
    });
    const carryOut = (dispatches: readonly Dispatch[]) => this.#deliveries.carryOut(dispatches);
    const orders = new Orders(addresses, this.#reporter, { carryOut, ask: () => {} }, log);
    this.#deliveries.sayAgain(Date.now());
    bus.onOnline(() => this.#reporter.announce());
    bus.onStanza((stanza) => void orders.heard(stanza));
  }

  /** The provider says how far a message has come. */
  statusChanged(news: StatusNews): void {
    this.#deliveries.statusChanged(news);
  }

  /** The provider says what somebody answered; see {@link Replies.heard}. */
  heard(heard: Heard, nowAt: number): Promise<string | null> {
    return this.#replies.heard(heard, nowAt);
  }

  /** Resolves when the provider has answered what was sent. */
  async stop(): Promise<void> {
    await this.#deliveries.stop();
    this.#reporter.stop();
  }

  /** What the provider sends for us as an answer is paid for as well. */
  #mayAnswer(number: string, text: string): boolean {
    const phone = readNumber(number, this.#means.countries);
    if ("condition" in phone) return false;
    const segments = segmentsOf(text).count;
    if (this.#deliveries.mayNotSend(phone, segments) !== null) return false;
    this.#means.ledger.spend(phone, segments, Date.now());
    return true;
  }
}
