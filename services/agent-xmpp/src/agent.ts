/**
 * The agent for instant messaging: what comes over the bus, and who sees to it.
 *
 *     from a shard:    dispatches ─▶ Deliveries    asks ─▶ Contacts    reported ─▶ Reporter
 *     from the world:  presence ─▶ Contacts    receipts, bounces ─▶ Deliveries    text ─▶ Conversation    IQ ─▶ information
 *
 * Orders count only from the silo's shards, and only for users of the shard that gives them. Everything else is hostile
 * until its standing is known. Copies and forwards (carbons, XEP-0280; archives, XEP-0313) are not looked into: anyone can
 * wrap a message of somebody else.
 */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  bareJid,
  busChild,
  type Element,
  readAsks,
  readDispatches,
  type Shard,
  shardNamed,
  shardOf,
  splitJid,
} from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import { Contacts } from "./contacts.ts";
import { Conversation } from "./conversation.ts";
import { Deliveries } from "./deliveries.ts";
import { informationAnswer } from "./information.ts";
import { Reporter } from "./reporter.ts";
import { Standings } from "./standing.ts";
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

  constructor({ bus, queue, addresses, log }: AgentMeans) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#log = log;
    this.#reporter = new Reporter(bus, addresses, log, Date.now());
    this.#standings = new Standings(bus, addresses);
    this.#contacts = new Contacts(bus, addresses, this.#standings, this.#reporter, log);
    this.#deliveries = new Deliveries(bus, addresses, this.#reporter, log);
    this.#conversation = new Conversation({ bus, queue, addresses }, this.#standings, log);
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
    const { domain, local } = splitJid(String(stanza.attrs.from ?? ""));
    const isOfSilo = domain === this.#addresses.silo;
    if (isOfSilo && stanza.name === "message") this.#ordered(stanza, shardNamed(local));
    // Who speaks from the bus's own domains is no person; an answer could go round in circles.
    if (isOfSilo || domain === "" || this.#isOwnDomain(domain)) return;
    this.#see(stanza).catch((error) =>
      this.#log.warn({ err: error, kind: stanza.name }, "a stanza was not seen to"),
    );
  }

  #isOwnDomain(domain: string): boolean {
    const { agents, avatars } = this.#addresses;
    return [agents, avatars].some((own) => domain === own || domain.endsWith(`.${own}`));
  }

  #ordered(message: Element, shard: Shard | null): void {
    const order = busChild(message);
    if (shard === null || order === undefined || message.attrs.type === "error") return;
    switch (order.name) {
      case "dispatches":
        // Who does not know yet that this life has begun takes it for the last, whose open deliveries come first.
        if (this.#reporter.isKnownAt(shard))
          this.#deliveries.carryOut(this.#ownOf(shard, readDispatches(order)));
        return;
      case "asks":
        for (const ask of this.#ownOf(shard, readAsks(order))) this.#contacts.ask(ask);
        return;
      case "reported":
        this.#reporter.acknowledged(shard, String(order.attrs.id), Number(order.attrs.epoch));
    }
  }

  /** The entries about users of `shard`: no other shard speaks for them. */
  #ownOf<T extends { readonly user: string }>(shard: Shard, entries: readonly T[]): T[] {
    const own = entries.filter(({ user }) => shardOf(user) === shard);
    if (own.length < entries.length)
      this.#log.warn({ shard }, "a shard gave orders for users of another shard");
    return own;
  }

  async #see(stanza: Element): Promise<void> {
    if (stanza.name === "presence") return this.#contacts.heard(stanza);
    if (stanza.name === "iq") return this.#answer(stanza);
    return this.#read(stanza);
  }

  async #read(message: Element): Promise<void> {
    const { type, to } = message.attrs as Record<string, string | undefined>;
    if (type === "error") {
      this.#deliveries.bounced(message);
      return;
    }
    if (type === "groupchat" || type === "headline") return;
    this.#deliveries.confirmed(message);
    if (message.getChild("body") === undefined) return;
    if (splitJid(to ?? "").local === "") return this.#send(errorTo(message, NOT_OFFERED));
    await this.#conversation.heard(message, Date.now());
  }

  async #answer(iq: Element): Promise<void> {
    const user = splitJid(String(iq.attrs.to)).local;
    if (user === "") return this.#send(informationAnswer(iq, Date.now()));
    const standing = await this.#standings.of(user, bareJid(iq.attrs.from)).catch(() => null);
    if (standing === null) return this.#send(errorTo(iq, NOT_NOW));
    return this.#send(standing === "noUser" ? errorTo(iq, NO_SUCH_USER) : informationAnswer(iq, Date.now()));
  }

  async #send(stanza: Element | null): Promise<void> {
    if (stanza !== null) await this.#bus.send(stanza);
  }
}
