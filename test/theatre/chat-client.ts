/** A person's XMPP client, on any server: it writes down what it hears and confirms what asks for a receipt. */
import { randomUUID } from "node:crypto";
import { type Bus, type ClientOptions, connectClient } from "@tidings/bus";
import { bareJid, type Element, xml } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { eventually, type Patience } from "@tidings/testkit";

const NS_RECEIPTS = "urn:xmpp:receipts";
const NS_DELAY = "urn:xmpp:delay";
const NS_CORRECTION = "urn:xmpp:message-correct:0";
const NS_REACTIONS = "urn:xmpp:reactions:0";
const NS_ORIGIN = "urn:xmpp:sid:0";

export interface Heard {
  readonly body: string;
  /** Who said it, as a bare JID. */
  readonly from: string;
  readonly id: string;
  readonly type: string;
  /** Since when it was held (XEP-0203); null when it came straight. */
  readonly delayStamp: string | null;
  /** A delivery carries an origin-id (XEP-0359); a reply of the agent does not. */
  readonly isDelivery: boolean;
  /** The id of the message whose place it takes (XEP-0308); null when it is no correction. */
  readonly corrects: string | null;
  /** When it came (milliseconds of `performance.now`). */
  readonly atMs: number;
}

export class ChatClient {
  readonly jid: string;
  /** All messages with a body, in the order of arrival, over all connections. */
  readonly heard: Heard[] = [];
  readonly presences: Element[] = [];
  readonly #login: Omit<ClientOptions, "log">;
  #bus: Bus | null = null;
  #confirms = true;

  constructor(login: Omit<ClientOptions, "log">) {
    this.#login = login;
    this.jid = `${login.username}@${login.domain}`;
  }

  /** From now on it sends no receipts. */
  confirmsNothing(): void {
    this.#confirms = false;
  }

  /** Logs in and says that it is available. */
  async comesOnline(): Promise<void> {
    const bus = connectClient({ ...this.#login, log: silentLog() });
    this.#bus = bus;
    bus.onStanza((stanza) => this.#hear(bus, stanza));
    await eventually(() => {
      if (!bus.isOnline) throw new Error(`${this.jid} cannot log in`);
    });
    await bus.send(xml("presence"));
  }

  /** Closes the stream; does nothing when it is offline. */
  async goesOffline(): Promise<void> {
    await this.#bus?.stop();
    this.#bus = null;
  }

  /** Sends a chat message to `to`, and resolves to its id. */
  async says(to: string, body: string, id: string = randomUUID()): Promise<string> {
    await this.send(xml("message", { type: "chat", to, id }, xml("body", {}, body)));
    return id;
  }

  /** Reacts to the message `id` (XEP-0444). */
  async reacts(to: string, id: string, emoji: string): Promise<void> {
    const reactions = xml("reactions", { xmlns: NS_REACTIONS, id }, xml("reaction", {}, emoji));
    await this.send(xml("message", { type: "chat", to, id: randomUUID() }, reactions));
  }

  async send(stanza: Element): Promise<void> {
    if (this.#bus === null) throw new Error(`${this.jid} is offline`);
    await this.#bus.send(stanza);
  }

  async request(iq: Element): Promise<Element> {
    if (this.#bus === null) throw new Error(`${this.jid} is offline`);
    return this.#bus.request(iq);
  }

  /** Adds `contact` to the roster and asks for its presence (RFC 6121 §3). */
  async adds(contact: string): Promise<void> {
    await this.send(xml("presence", { type: "subscribe", to: contact }));
  }

  /** Resolves to the first message whose body holds `text`, as soon as there is one. */
  hears(text: string, patience?: Patience): Promise<Heard> {
    return eventually(() => {
      const found = this.heard.find(({ body }) => body.includes(text));
      if (found !== undefined) return found;
      const bodies = this.heard.map(({ body }) => JSON.stringify(body.slice(0, 80)));
      throw new Error(`${this.jid} has not heard "${text}", only ${bodies.join(", ") || "nothing"}`);
    }, patience);
  }

  /** Resolves when `contact` is shown as available. */
  sees(contact: string): Promise<void> {
    return eventually(() => {
      const seen = this.presences.some(
        ({ attrs }) => bareJid(attrs.from) === contact && attrs.type === undefined,
      );
      if (!seen) throw new Error(`${this.jid} does not see ${contact}`);
    });
  }

  /** How many messages hold `text` so far. */
  timesHeard(text: string): number {
    return this.heard.filter(({ body }) => body.includes(text)).length;
  }

  #hear(bus: Bus, stanza: Element): void {
    if (stanza.name === "presence") this.#meets(bus, stanza);
    const body = stanza.getChildText("body");
    if (stanza.name !== "message" || body === null) return;
    const { from, id = "", type = "normal" } = stanza.attrs;
    this.heard.push({
      body,
      from: bareJid(from),
      id,
      type,
      delayStamp: stanza.getChild("delay", NS_DELAY)?.attrs.stamp ?? null,
      corrects: stanza.getChild("replace", NS_CORRECTION)?.attrs.id ?? null,
      isDelivery: stanza.getChild("origin-id", NS_ORIGIN) !== undefined,
      atMs: performance.now(),
    });
    if (this.#confirms && stanza.getChild("request", NS_RECEIPTS) !== undefined) {
      const receipt = xml("received", { xmlns: NS_RECEIPTS, id });
      void bus.send(xml("message", { type: "chat", to: from, id: randomUUID() }, receipt)).catch(() => {
        // It went offline in this moment: a client that cannot confirm is what the system must live with.
      });
    }
  }

  /** As a client whose owner agrees to everybody who asks. */
  #meets(bus: Bus, stanza: Element): void {
    this.presences.push(stanza);
    if (stanza.attrs.type !== "subscribe") return;
    void bus.send(xml("presence", { type: "subscribed", to: bareJid(stanza.attrs.from) })).catch(() => {
      // As above.
    });
  }
}
