/** A component without the bus between: a play sees every stanza as it came, also answers and errors. */
import { readSecret } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { component } from "@xmpp/component";
import xml, { type Element } from "@xmpp/xml";

export class RawComponent {
  readonly domain: string;
  /** Everything that has arrived and was not taken yet, in order. */
  readonly heard: Element[] = [];
  readonly #entity: ReturnType<typeof component>;
  #isOpen = true;
  #lastId = 0;

  private constructor(domain: string, entity: ReturnType<typeof component>) {
    this.domain = domain;
    this.#entity = entity;
    entity.reconnect.stop();
    entity.removeAllListeners("element");
    entity.on("element", (stanza: Element) => {
      if (["message", "iq", "presence"].includes(stanza.name)) this.heard.push(stanza);
    });
    entity.on("disconnect", () => {
      this.#isOpen = false;
    });
    entity.on("error", () => undefined);
  }

  /** Connects as `domain`. Rejects when the server refuses. */
  static async connect(url: string, domain: string, passwordFile: string): Promise<RawComponent> {
    const entity = component({ service: url, domain, password: await readSecret(passwordFile) });
    const raw = new RawComponent(domain, entity);
    const online = new Promise<void>((resolve, reject) => {
      entity.once("online", () => resolve());
      entity.once("error", reject);
    });
    await entity.connect(url);
    await entity.open({ domain });
    await online;
    return raw;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(stanza: Element): void {
    this.#entity.socket?.write(stanza.toString());
  }

  /** Sends an IQ and resolves with its answer, result or error. */
  async ask(iq: Element): Promise<Element> {
    this.#lastId += 1;
    iq.attrs.id = `raw-${this.#lastId}`;
    this.send(iq);
    return this.hears((stanza) => stanza.name === "iq" && stanza.attrs.id === iq.attrs.id);
  }

  /** Takes the first stanza that `fits`, as soon as there is one. */
  hears(fits: (stanza: Element) => boolean): Promise<Element> {
    return eventually(() => {
      const index = this.heard.findIndex(fits);
      const [found] = index < 0 ? [] : this.heard.splice(index, 1);
      if (found === undefined)
        throw new Error(`${this.domain} has heard only ${this.heard.join(" ") || "nothing"}`);
      return found;
    });
  }

  /**
   * Resolves when all that was sent to this component before this call has arrived: a message to itself travels behind
   * it. Only what passes the same processes keeps this order.
   */
  async hearsItself(): Promise<void> {
    this.#lastId += 1;
    const id = `echo-${this.#lastId}`;
    this.send(xml("message", { from: this.domain, to: this.domain, id }));
    await this.hears((stanza) => stanza.attrs.id === id);
  }

  /** Breaks the connection without a goodbye. */
  async cut(): Promise<void> {
    this.#entity.socket?.destroy();
    await eventually(() => {
      if (this.#isOpen) throw new Error("still connected");
    });
  }
}
