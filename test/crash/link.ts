/**
 * A TCP proxy on one link between two processes. It passes everything on until it is told to be a bad link:
 *
 *     passes ──cuts──▶ nothing connects          ──halfOpens──▶ connects, and swallows everything
 *        ▲    ──stalls──▶ nothing more is read   ──swallows(way)──▶ one way is lost, the other goes on
 *        └──heals── from all of them             ──delays, throttles──▶ slower, in order
 *
 * What it keeps for a slow receiver is bounded: above that it stops reading, as the network does.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Flow } from "./flow.ts";

/** `out`: from the process that connects to the server; `back`: the other way. */
export type Way = "out" | "back";

export interface LinkOptions {
  /** Such as `avatar-host-h1 to bus`. */
  readonly name: string;
  /** Port of 127.0.0.1 that it leads to. */
  readonly target: number;
  /** Sees every chunk that has passed, and for each connection a key of its own. */
  readonly watch?: ((connection: number, way: Way, chunk: Buffer) => void) | undefined;
}

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  readonly flows: Readonly<Record<Way, Flow>>;
}

export class Link {
  readonly name: string;
  readonly port: number;
  readonly #server: Server;
  readonly #options: LinkOptions;
  readonly #connections = new Set<Connection>();
  readonly #swallowed = new Set<Way>();
  #connected = 0;
  #isCut = false;
  #isStalled = false;
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;

  protected constructor(options: LinkOptions, server: Server) {
    this.name = options.name;
    this.#options = options;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (near) => this.#connect(near));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async open(options: LinkOptions): Promise<Link> {
    return new Link(options, await Link.listen());
  }

  protected static async listen(): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  /** Connections that were ever made through it. */
  get connected(): number {
    return this.#connected;
  }

  /** Breaks every connection and refuses new ones. */
  cuts(): void {
    this.#isCut = true;
    this.breaks();
  }

  /** Breaks every connection; new ones are as the link is. */
  breaks(): void {
    for (const { near, far } of this.#connections) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Connections stay and are accepted, and nothing comes through any more, either way. */
  halfOpens(): void {
    this.swallows("out");
    this.swallows("back");
  }

  /** What goes this way is lost from now on. */
  swallows(way: Way): void {
    this.#swallowed.add(way);
    this.#adjust();
  }

  /** Nothing is read any more, so that the senders' buffers fill. */
  stalls(): void {
    this.#isStalled = true;
    this.#adjust();
  }

  /** Everything takes `ms` longer, in both ways. */
  delays(ms: number): void {
    this.#delayMs = ms;
    this.#adjust();
  }

  /** At most this many bytes a second for each connection and way. */
  throttles(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#adjust();
  }

  /**
   * A good link again. What was swallowed is missing in its stream, so connections that lost something are broken: a network
   * would do the same by their time-outs.
   */
  heals(): void {
    const hasLost = this.#swallowed.size > 0;
    this.#isCut = false;
    this.#isStalled = false;
    this.#swallowed.clear();
    this.#delayMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#adjust();
    if (hasLost) this.breaks();
  }

  async close(): Promise<void> {
    this.breaks();
    this.#server.close();
    await once(this.#server, "close");
  }

  #connect(near: Socket): void {
    if (this.#isCut) {
      near.resetAndDestroy();
      return;
    }
    const key = this.#connected++;
    const far = connect({
      port: this.#options.target,
      host: "127.0.0.1",
      noDelay: true,
      allowHalfOpen: true,
    });
    const watch = this.#options.watch;
    const seen = (way: Way) => (chunk: Buffer) => watch?.(key, way, chunk);
    const flows = { out: new Flow(near, far, seen("out")), back: new Flow(far, near, seen("back")) };
    const connection = { near, far, flows };
    this.#connections.add(connection);
    this.#adjustOne(connection);
    const end = () => {
      near.destroy();
      far.destroy();
      this.#connections.delete(connection);
    };
    for (const socket of [near, far]) {
      // The other side hears of it by the end of its own connection.
      socket.on("error", end);
      socket.on("close", end);
    }
  }

  #adjust(): void {
    for (const connection of this.#connections) this.#adjustOne(connection);
  }

  #adjustOne({ flows }: Connection): void {
    for (const way of ["out", "back"] as const) {
      flows[way].adjust({
        isStalled: this.#isStalled,
        isSwallowed: this.#swallowed.has(way),
        delayMs: this.#delayMs,
        bytesPerSecond: this.#bytesPerSecond,
      });
    }
  }
}
