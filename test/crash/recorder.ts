/** An XMPP client that writes down every delivery with its id, and confirms it; it comes back by itself when it is cut off. */
import { randomUUID } from "node:crypto";
import { type Bus, type ClientOptions, connectClient } from "@tidings/bus";
import { bareJid, type Element, xml } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";

const NS_RECEIPTS = "urn:xmpp:receipts";
const NS_ORIGIN = "urn:xmpp:sid:0";
const NS_DELAY = "urn:xmpp:delay";

/** A delivery as it came. */
export interface Heard {
  readonly id: string;
  readonly originId: string;
  /** First line of the text: the item's title. */
  readonly title: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The user's own server had kept it (XEP-0160 and XEP-0203): it was handed long ago. */
  readonly isDelayed: boolean;
}

export class Recorder {
  /** All deliveries in the order of arrival, over all connections. */
  readonly heard: Heard[] = [];
  /** Ids that were heard at least once. */
  readonly ids = new Set<string>();
  /** It went away and came back within one connection: its server may deliver what it kept behind what came straight. */
  hasFlapped = false;
  readonly #login: Omit<ClientOptions, "log">;
  #bus: Bus | null = null;

  constructor(login: Omit<ClientOptions, "log">) {
    this.#login = login;
  }

  get isOnline(): boolean {
    return this.#bus?.isOnline ?? false;
  }

  /** Logs in, and says that it is there, now and after each break. Resolves when it is connected. */
  async comesOnline(): Promise<void> {
    const bus = connectClient({ ...this.#login, log: silentLog() });
    this.#bus = bus;
    const present = () => {
      bus.send(xml("presence")).catch(() => {
        // It was stopped in this moment; who is gone need not say that they are there.
      });
    };
    bus.onStanza((stanza) => this.#hear(bus, stanza));
    bus.onOnline(present);
    if (bus.isOnline) present();
    await eventually(
      () => {
        if (!bus.isOnline) throw new Error(`${this.#login.username} cannot log in`);
      },
      { withinMs: 60_000 },
    );
  }

  async goesOffline(): Promise<void> {
    await this.#bus?.stop();
    this.#bus = null;
  }

  /** Sends a presence of its own, such as an absence; does nothing when it is offline. */
  async shows(show: "away" | "dnd" | "available" | "unavailable"): Promise<void> {
    if (!this.#bus?.isOnline) return;
    if (show === "unavailable") this.hasFlapped = true;
    if (show === "unavailable") await this.#bus.send(xml("presence", { type: "unavailable" }));
    else if (show === "available") await this.#bus.send(xml("presence"));
    else await this.#bus.send(xml("presence", {}, xml("show", {}, show)));
  }

  #hear(bus: Bus, stanza: Element): void {
    const originId: string | undefined = stanza.getChild("origin-id", NS_ORIGIN)?.attrs.id;
    const body = stanza.getChildText("body");
    if (stanza.name !== "message" || body === null || originId === undefined) return;
    const id: string = stanza.attrs.id ?? "";
    const isDelayed = stanza
      .getChildren("delay", NS_DELAY)
      .some(({ attrs }) => bareJid(attrs.from ?? "") === this.#login.domain);
    this.heard.push({ id, originId, title: body.split("\n", 1)[0] ?? "", at: Date.now(), isDelayed });
    this.ids.add(id);
    if (stanza.getChild("request", NS_RECEIPTS) === undefined) return;
    const receipt = xml("received", { xmlns: NS_RECEIPTS, id });
    bus
      .send(xml("message", { type: "chat", to: bareJid(stanza.attrs.from), id: randomUUID() }, receipt))
      .catch(() => {
        // Cut off in this moment: a client that cannot confirm is what the system must live with.
      });
  }
}
