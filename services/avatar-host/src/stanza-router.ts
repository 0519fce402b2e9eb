/** Gives each stanza that reaches the host to the shard that it is for, after a look at where it came from. */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  answerStanza,
  busChild,
  CallError,
  channelOfAgent,
  type Element,
  MalformedError,
  readAck,
  readCall,
  readError,
  readFrame,
  readReports,
  refusalStanza,
  SHARDS,
  shardNamed,
  shardOf,
  shardUpStanza,
  splitJid,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Shard } from "./shard/shard.ts";

export interface StanzaRouterOptions {
  readonly addresses: Addresses;
  readonly bus: Bus;
  readonly log: Log;
  /** The shard with this number, if the host serves it. */
  readonly shard: (number: number) => Shard | undefined;
}

export class StanzaRouter {
  readonly #options: StanzaRouterOptions;

  constructor(options: StanzaRouterOptions) {
    this.#options = options;
  }

  /** Routes one stanza. What is malformed is logged and, when it is a call, refused. */
  route(stanza: Element): void {
    const to = splitJid(stanza.attrs.to ?? "");
    if (to.domain !== this.#options.addresses.silo || to.local === "") return;
    const shard = this.#options.shard(shardOf(to.local));
    try {
      if (stanza.is("iq")) this.#routeCall(stanza, to.local, shard);
      else if (stanza.is("message") && stanza.attrs.type === "error") this.#noteBounce(stanza);
      else if (stanza.is("message") && shard !== undefined) this.#routeMessage(stanza, shard);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#options.log.warn({ err: error, from: stanza.attrs.from }, "malformed stanza");
      if (stanza.is("iq")) this.#refuse(stanza, new CallError("modify", "bad-request", error.message));
    }
  }

  /** Tells the other shards that `shard` serves again, so that they resend at once. */
  announce(shard: Shard): void {
    const { addresses, bus, log } = this.#options;
    for (let to = 0; to < SHARDS; to++) {
      if (to === shard.number) continue;
      bus
        .send(shardUpStanza(addresses.silo, shard.number, to))
        .catch((error) => log.warn({ err: error }, "announcement was not sent"));
    }
  }

  /** Nothing is lost by it: what matters is sent again until it is acknowledged. */
  #noteBounce(stanza: Element): void {
    const { from, to } = stanza.attrs;
    this.#options.log.warn({ from, to, condition: readError(stanza).condition }, "message came back");
  }

  #routeMessage(stanza: Element, shard: Shard): void {
    const child = busChild(stanza);
    const from = splitJid(stanza.attrs.from ?? "");
    if (child === undefined) return;
    // What one agent says of its channel, no other agent may say for it.
    const channel = channelOfAgent(this.#options.addresses, from.domain);
    if (channel !== null) {
      if (child.name === "reports") shard.onReports(channel, child.attrs.id ?? "", readReports(child));
      return;
    }
    const sender = from.domain === this.#options.addresses.silo ? shardNamed(from.local) : null;
    if (sender === null) return;
    if (child.name === "frame") {
      const frame = readFrame(child);
      shard.inbox.onFrame(sender, frame.seq, frame.body);
    } else if (child.name === "ack") shard.outbox.onAck(sender, readAck(child));
    else if (child.name === "shard-up") shard.outbox.onShardUp(sender);
  }

  #routeCall(stanza: Element, localpart: string, shard: Shard | undefined): void {
    const child = busChild(stanza);
    const { type, from } = stanza.attrs;
    if (type !== "get" && type !== "set") return;
    if (child?.name !== "call") {
      this.#refuse(stanza, new CallError("cancel", "service-unavailable", "An avatar takes calls only."));
      return;
    }
    if (shard === undefined) {
      this.#refuse(
        stanza,
        new CallError("wait", "recipient-unavailable", "The avatar is moving; try again."),
      );
      return;
    }
    shard.onCall(localpart, {
      ...readCall(child),
      fromDomain: splitJid(from ?? "").domain,
      reply: (result) => this.#send(answerStanza(stanza.attrs.to, from, stanza.attrs.id, result)),
      refuse: (error) => this.#refuse(stanza, error),
    });
  }

  #refuse(stanza: Element, error: Error): void {
    const { to, from, id } = stanza.attrs;
    if (error instanceof CallError) {
      this.#send(refusalStanza(to, from, id, error));
      return;
    }
    this.#options.log.error({ err: error, to }, "call failed");
    this.#send(
      refusalStanza(
        to,
        from,
        id,
        new CallError("cancel", "internal-server-error", "Something is broken here; it has been noted."),
      ),
    );
  }

  #send(stanza: Element): void {
    this.#options.bus
      .send(stanza)
      .catch((error) => this.#options.log.warn({ err: error }, "answer was not sent"));
  }
}
