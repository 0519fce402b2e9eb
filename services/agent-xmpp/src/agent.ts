/**
 * The agent for instant messaging: what comes over the bus, and who sees to it.
 *
 *     from a shard:    Orders: dispatches ─▶ Deliveries    asks ─▶ Contacts    reported ─▶ Reporter
 *     from the world:  presence ─▶ Contacts    receipts, bounces ─▶ Deliveries    reactions ─▶ Reactions
 *                      text ─▶ Conversation    IQ ─▶ AdHoc, information
 *
 * Everything that is no order of a shard is hostile until its standing is known. Copies and forwards (carbons, XEP-0280;
 * archives, XEP-0313) are not looked into: anyone can wrap a message of somebody else.
 */
import { Orders, Reporter, Standings } from "@tidings/agent";
import type { Bus } from "@tidings/bus";
import { type Addresses, type Ask, bareJid, type Dispatch, type Element, splitJid } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import { AdHoc } from "./ad-hoc.ts";
import { Contacts } from "./contacts.ts";
import { Conversation } from "./conversation.ts";
import { Deliveries } from "./deliveries.ts";
import { informationAnswer } from "./information.ts";
import { readReaction } from "./reaction-set.ts";
import { Reactions } from "./reactions.ts";
import { errorTo, NO_SUCH_USER, NOT_NOW, NOT_OFFERED } from "./stanza-answers.ts";

export interface AgentMeans {
  /** Connected as the component of the agent's domain. */
  readonly bus: Bus;
  readonly queue: Pick<Queue, "request">;
  readonly addresses: Addresses;
  readonly log: Log;
}

export class Agent {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #log: Log;
  readonly #reporter: Reporter;
  readonly #standings: Standings;
  readonly #contacts: Contacts;
  readonly #deliveries: Deliveries;
  readonly #conversation: Conversation;
  readonly #reactions: Reactions;
  readonly #adHoc: AdHoc;
  readonly #orders: Orders;

  constructor({ bus, queue, addresses, log }: AgentMeans) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#log = log;
    this.#reporter = new Reporter(bus, addresses, log, Date.now());
    this.#standings = new Standings(bus, addresses);
    this.#contacts = new Contacts(bus, addresses, this.#standings, this.#reporter, log);
    const onLost = (user: string, address: string) => this.#contacts.lost(user, address);
    this.#deliveries = new Deliveries(bus, addresses, this.#reporter, onLost, log);
    const means = { bus, queue, addresses };
    const lastTo = (user: string, address: string) => this.#deliveries.lastTo(user, address);
    this.#conversation = new Conversation(means, this.#standings, lastTo, log);
    this.#adHoc = new AdHoc(means, lastTo, log);
    this.#reactions = new Reactions(means, this.#standings, this.#deliveries, this.#reporter, log);
    const crew = {
      carryOut: (dispatches: readonly Dispatch[]) => this.#deliveries.carryOut(dispatches),
      ask: (ask: Ask) => this.#contacts.ask(ask),
    };
    this.#orders = new Orders(addresses, this.#reporter, crew, log);
    bus.onOnline(() => {
      this.#contacts.beginAnew();
      this.#reporter.announce();
    });
    bus.onStanza((stanza) => this.#heard(stanza));
  }

  stop(): void {
    this.#contacts.stop();
    this.#reporter.stop();
  }

  #heard(stanza: Element): void {
    if (this.#orders.heard(stanza)) return;
    const { domain } = splitJid(String(stanza.attrs.from ?? ""));
    // Who speaks from the bus's own domains is no person; an answer could go round in circles.
    if (domain === "" || this.#isOwnDomain(domain)) return;
    this.#see(stanza).catch((error) =>
      this.#log.warn({ err: error, kind: stanza.name }, "a stanza was not seen to"),
    );
  }

  #isOwnDomain(domain: string): boolean {
    const { agents, avatars } = this.#addresses;
    return [agents, avatars].some((own) => domain === own || domain.endsWith(`.${own}`));
  }

  async #see(stanza: Element): Promise<void> {
    if (stanza.name === "presence") return this.#noteShown(stanza);
    if (stanza.name === "iq") return this.#answer(stanza);
    return this.#read(stanza);
  }

  async #noteShown(presence: Element): Promise<void> {
    await this.#contacts.heard(presence);
    const { from, to, type } = presence.attrs as Record<string, string | undefined>;
    if (type === undefined) await this.#deliveries.showed(splitJid(to ?? "").local, bareJid(from ?? ""));
  }

  async #read(message: Element): Promise<void> {
    const { type, to } = message.attrs as Record<string, string | undefined>;
    if (type === "error") {
      this.#deliveries.bounced(message);
      return;
    }
    if (type === "groupchat" || type === "headline") return;
    this.#deliveries.confirmed(message);
    await this.#reactions.heard(message, Date.now());
    // The body of a reaction is for clients that know none.
    if (message.getChild("body") === undefined || readReaction(message) !== null) return;
    if (splitJid(to ?? "").local === "") return this.#send(errorTo(message, NOT_OFFERED));
    await this.#conversation.heard(message, Date.now());
  }

  async #answer(iq: Element): Promise<void> {
    const user = splitJid(String(iq.attrs.to)).local;
    if (user === "") return this.#send(informationAnswer(iq, Date.now()));
    const standing = await this.#standings.of(user, bareJid(iq.attrs.from)).catch(() => null);
    if (standing === null) return this.#send(errorTo(iq, NOT_NOW));
    if (standing === "noUser") return this.#send(errorTo(iq, NO_SUCH_USER));
    const answer = await this.#adHoc.answer(iq, standing, Date.now());
    return this.#send(answer ?? informationAnswer(iq, Date.now()));
  }

  async #send(stanza: Element | null): Promise<void> {
    if (stanza !== null) await this.#bus.send(stanza);
  }
}
