/**
 * A bus without a server, for tests: buses of one exchange meet by their domains. Stanzas are written and read as XML, so
 * what the real bus would refuse or change is refused and changed here too.
 */
import { randomUUID } from "node:crypto";
import {
  bareJid,
  CallError,
  type CallName,
  type CallResult,
  type Element,
  errorElement,
  splitJid,
  xml,
} from "@tidings/protocol";
import { Parser } from "@xmpp/xml";
import type { Bus, OutgoingCall } from "./bus.ts";
import { callOn } from "./call.ts";
import { encode } from "./encode.ts";
import { BusStoppedError } from "./errors.ts";
import { Requests } from "./requests.ts";

const REQUEST_TIMEOUT_MS = 10_000;

export class MemoryExchange {
  readonly #buses = new Map<string, MemoryBus>();

  /** A bus for all addresses in `domain`, online at the next turn of the event loop. */
  connect(domain: string): MemoryBus {
    const bus = new MemoryBus(domain, (text) => this.#route(text));
    this.#buses.set(domain, bus);
    setImmediate(() => bus.goOnline());
    return bus;
  }

  #route(text: string): void {
    const stanza = parse(text);
    const { type, to } = stanza.attrs as Record<string, string | undefined>;
    const target = this.#buses.get(splitJid(to ?? "").domain);
    if (target?.isOnline) {
      target.receive(stanza);
      return;
    }
    if (type === "error" || type === "result" || stanza.name === "presence") return;
    this.#buses.get(splitJid(String(stanza.attrs.from)).domain)?.receive(bounce(stanza));
  }
}

export class MemoryBus implements Bus {
  readonly address: string;
  readonly #route: (text: string) => void;
  readonly #requests = new Requests();
  readonly #stanzaHandlers: ((stanza: Element) => void)[] = [];
  readonly #onlineHandlers: (() => void)[] = [];
  readonly #offlineHandlers: (() => void)[] = [];
  #waiting: { text: string; sent: () => void; reject: (error: Error) => void }[] = [];
  #state: "offline" | "online" | "stopped" = "offline";

  constructor(address: string, route: (text: string) => void) {
    this.address = address;
    this.#route = route;
  }

  get isOnline(): boolean {
    return this.#state === "online";
  }

  goOnline(): void {
    if (this.#state !== "offline") return;
    this.#state = "online";
    for (const { text, sent } of this.#waiting.splice(0)) {
      this.#deliver(text);
      sent();
    }
    for (const handler of this.#onlineHandlers) handler();
  }

  goOffline(): void {
    if (this.#state !== "online") return;
    this.#state = "offline";
    for (const handler of this.#offlineHandlers) handler();
  }

  async send(stanza: Element): Promise<void> {
    if (this.#state === "stopped") throw new BusStoppedError();
    stanza.attrs.from ??= this.address;
    const text = encode(stanza);
    if (this.#state === "offline") {
      return new Promise((sent, reject) => this.#waiting.push({ text, sent, reject }));
    }
    this.#deliver(text);
  }

  async request(iq: Element, timeoutMs: number = REQUEST_TIMEOUT_MS): Promise<Element> {
    const id: string = iq.attrs.id || this.#requests.newId();
    iq.attrs.id = id;
    const answer = this.#requests.answerTo(id, String(iq.attrs.to), timeoutMs);
    this.send(iq).catch((error) => this.#requests.fail(id, error));
    return answer;
  }

  call<N extends CallName>(call: OutgoingCall<N>): Promise<CallResult<N>> {
    return callOn(this, call);
  }

  onStanza(handler: (stanza: Element) => void): void {
    this.#stanzaHandlers.push(handler);
  }

  onOnline(handler: () => void): void {
    this.#onlineHandlers.push(handler);
  }

  onOffline(handler: () => void): void {
    this.#offlineHandlers.push(handler);
  }

  async stop(): Promise<void> {
    this.goOffline();
    this.#state = "stopped";
    for (const { reject } of this.#waiting.splice(0)) reject(new BusStoppedError());
    this.#requests.rejectAll(new BusStoppedError());
  }

  /** A stanza has come for this domain. */
  receive(stanza: Element): void {
    const { type } = stanza.attrs;
    if (stanza.name === "iq" && (type === "result" || type === "error")) {
      this.#requests.settle(stanza);
      return;
    }
    for (const handler of this.#stanzaHandlers) reportingErrors(() => handler(stanza));
  }

  #deliver(text: string): void {
    setImmediate(() => this.#route(text));
  }
}

/** A handler that throws must not keep the stanza from the others; the error surfaces as one that nobody caught. */
function reportingErrors(handle: () => void): void {
  try {
    handle();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function parse(text: string): Element {
  const parser = new Parser();
  let stanza: Element | null = null;
  parser.on("element", (element: Element) => {
    stanza = element;
  });
  parser.write(`<stream id="${randomUUID()}">${text}`);
  if (stanza === null) throw new Error(`no stanza in ${text}`);
  return stanza;
}

/** What a server answers when it does not find the other one (RFC 6120 §8.3.3.16). */
function bounce(stanza: Element): Element {
  const { from, to, id } = stanza.attrs;
  const error = new CallError(
    "cancel",
    "remote-server-not-found",
    `${bareJid(String(to))} is not reachable.`,
  );
  return xml(stanza.name, { type: "error", from: to, to: from, id }, errorElement(error));
}
