/**
 * A bus connection that comes back by itself.
 *
 *     dialling ──linked──▶ online ──broken──▶ pausing ──back-off──▶ dialling        any ──stop──▶ stopped
 *        └──────────────failed──────────────────▲
 *
 * Only `#dialOn` moves from pausing to dialling, and only `#down` leaves online.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type CallName, type CallResult, type Element, xml } from "@tidings/protocol";
import { backOffMs, type Log } from "@tidings/runtime";
import type { Bus, OutgoingCall } from "./bus.ts";
import { callOn } from "./call.ts";
import type { Dialling, Link, LinkEvents } from "./dial.ts";
import { encode } from "./encode.ts";
import { BusStoppedError, LinkError } from "./errors.ts";
import { type KeepAlive, keepAlive } from "./keep-alive.ts";
import { Requests } from "./requests.ts";
import { SendQueue } from "./send-queue.ts";

const RECONNECT = { firstMs: 100, maxMs: 10_000 };
const REQUEST_TIMEOUT_MS = 10_000;
const GRACE_AFTER_BREAK_MS = 2_000;
const CLOSE_MS = 1_000;
/** A connection that breaks sooner counts as one more failure: two that take one domain from each other must slow down. */
const STABLE_MS = 10_000;
const DEFAULT_MAX_IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export interface ConnectionOptions {
  /** The component's domain, or what the client is called until it is online. */
  readonly address: string;
  /** Whom a keep-alive ping is sent to. */
  readonly pingTo: string;
  /** Whether each stanza must say from whom it is (XEP-0114 §3). */
  readonly needsFrom: boolean;
  readonly dial: (events: LinkEvents) => Dialling;
  readonly log: Log;
  readonly maxInFlightBytes?: number;
}

export class Connection implements Bus {
  readonly #options: ConnectionOptions;
  readonly #log: Log;
  readonly #queue: SendQueue;
  readonly #requests = new Requests();
  readonly #stanzaHandlers: ((stanza: Element) => void)[] = [];
  readonly #onlineHandlers: (() => void)[] = [];
  readonly #offlineHandlers: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #link: Link | null = null;
  #dialling: Dialling | null = null;
  #keepAlive: KeepAlive | null = null;
  #pingId: string | null = null;
  #failures = 0;
  #upSince = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#log = options.log.child({ bus: options.address });
    this.#queue = new SendQueue(options.maxInFlightBytes ?? DEFAULT_MAX_IN_FLIGHT_BYTES);
    void this.#dialOn();
  }

  get address(): string {
    return this.#link?.address ?? this.#options.address;
  }

  get isOnline(): boolean {
    return this.#link !== null;
  }

  async send(stanza: Element): Promise<void> {
    if (this.#stopping.signal.aborted) throw new BusStoppedError();
    return this.#queue.send(this.#encode(stanza));
  }

  async request(iq: Element, timeoutMs: number = REQUEST_TIMEOUT_MS): Promise<Element> {
    if (this.#stopping.signal.aborted) throw new BusStoppedError();
    const id: string = iq.attrs.id || this.#requests.newId();
    iq.attrs.id = id;
    const text = this.#encode(iq);
    const answer = this.#requests.answerTo(id, iq.attrs.to ?? "", timeoutMs);
    this.#queue
      .send(text, () => this.#requests.isPending(id))
      .catch((error) => this.#requests.fail(id, error));
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
    if (this.#stopping.signal.aborted) return;
    this.#queue.stop();
    this.#stopping.abort();
    this.#requests.rejectAll(new BusStoppedError());
    this.#dialling?.abort(new BusStoppedError());
    if (this.#link !== null) await closed(this.#link);
  }

  #encode(stanza: Element): string {
    if (this.#options.needsFrom) stanza.attrs.from ??= this.#options.address;
    return encode(stanza);
  }

  async #dialOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        this.#dialling = this.#options.dial(this.#events());
        this.#up(await this.#dialling.linked);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        const pauseMs = backOffMs(this.#failures, RECONNECT, Math.random());
        this.#log.warn(
          { err: error, attempt: this.#failures, pauseMs },
          "the bus did not take the connection",
        );
        await sleep(pauseMs, undefined, { signal }).catch(() =>
          this.#log.debug("stopped while it was offline"),
        );
      }
    }
  }

  #events(): LinkEvents {
    return {
      onStanza: (stanza) => this.#receive(stanza),
      onInput: () => this.#keepAlive?.heard(),
      onEnd: (cause) => this.#down(cause),
    };
  }

  #up(link: Link): void {
    this.#dialling = null;
    this.#link = link;
    this.#upSince = performance.now();
    this.#keepAlive = keepAlive(
      () => this.#ping(),
      () => link.destroy(new LinkError("the server is silent")),
    );
    this.#requests.hurry(GRACE_AFTER_BREAK_MS);
    this.#queue.attach(link.socket);
    this.#log.info("online");
    this.#tell(this.#onlineHandlers);
  }

  #down(cause: Error): void {
    this.#keepAlive?.stop();
    this.#queue.detach();
    this.#link = null;
    this.#tell(this.#offlineHandlers);
    if (this.#stopping.signal.aborted) return;
    this.#log.warn({ err: cause }, "the connection broke");
    const wasStable = performance.now() - this.#upSince >= STABLE_MS;
    this.#failures = wasStable ? 1 : this.#failures + 1;
    void this.#pause().then(() => this.#dialOn());
  }

  async #pause(): Promise<void> {
    const pauseMs = backOffMs(this.#failures, RECONNECT, Math.random());
    const { signal } = this.#stopping;
    await sleep(pauseMs, undefined, { signal }).catch(() => this.#log.debug("stopped while it was offline"));
  }

  #receive(stanza: Element): void {
    const { type, id } = stanza.attrs;
    if (stanza.name === "iq" && (type === "result" || type === "error")) {
      this.#requests.settle(stanza);
      return;
    }
    if (stanza.name === "iq" && id === this.#pingId) return;
    for (const handler of this.#stanzaHandlers) this.#guarded(() => handler(stanza));
  }

  #ping(): void {
    this.#pingId = this.#requests.newId();
    const ping = xml(
      "iq",
      { type: "get", to: this.#options.pingTo, id: this.#pingId },
      xml("ping", { xmlns: "urn:xmpp:ping" }),
    );
    this.send(ping).catch((error) => this.#log.debug({ err: error }, "the ping was not sent"));
  }

  #tell(handlers: readonly (() => void)[]): void {
    for (const handler of handlers) this.#guarded(handler);
  }

  #guarded(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#log.error({ err: error }, "a handler of the bus failed");
    }
  }
}

/** Ends the stream (RFC 6120 §4.4) and resolves when the socket is closed, by force after a second. */
function closed(link: Link): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => link.destroy(new BusStoppedError()), CLOSE_MS);
  link.socket.once("close", () => {
    clearTimeout(timer);
    resolve();
  });
  link.socket.end("</stream:stream>");
  return promise;
}
