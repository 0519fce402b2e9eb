/**
 * Starts and stops avatar hosts for the monitor, over HTTP on loopback: the supervisor of `npm start` is the one that can.
 *
 *     GET /hosts           [{ name, state }]
 *     PUT /hosts/h3        202: it is being started, or runs
 *     DELETE /hosts/h3     202: it gives its shards away and ends, by force after {@link DRAIN_MS}
 *
 * Who asks shows the token of the installation. A host that dies is started again by its supervision, as ever.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isSameSecret } from "@tidings/runtime";
import { MAX_HOSTS } from "./ejabberd/roles.ts";
import type { Supervised } from "./supervised.ts";

/** A host has so long to give its shards away (milliseconds). */
const DRAIN_MS = 60_000;
const PREFIX = "avatar-host-";

export interface HostControlOptions {
  readonly port: number;
  readonly token: string;
  /** The processes of hosts, by name such as `avatar-host-h1`. */
  readonly members: () => Iterable<Supervised>;
  /** Starts a host that there is none of. Rejects when it does not become ready. */
  readonly start: (host: string) => Promise<void>;
  /** Forgets a host that has ended. */
  readonly forget: (name: string) => void;
  readonly tell: (line: string) => void;
}

/** What can be stopped again; no host is started afterwards. */
export interface HostControl {
  stop(): Promise<void>;
}

export async function serveHostControl(options: HostControlOptions): Promise<HostControl> {
  const control = new Control(options);
  const server = createServer((request, response) => control.answer(request, response));
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  return { stop: () => close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (!server.listening) return;
  server.close();
  await once(server, "close");
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const refused = (status: number, error: string): Answer => ({ status, body: { error } });

class Control {
  readonly #options: HostControlOptions;
  readonly #starting = new Set<string>();
  readonly #stopping = new Set<string>();

  constructor(options: HostControlOptions) {
    this.#options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, body } = this.#answerTo(request);
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(body));
  }

  #answerTo({ method, url = "", headers }: IncomingMessage): Answer {
    if (!isSameSecret(headers.authorization ?? "", `Bearer ${this.#options.token}`))
      return refused(401, "only the monitor of this installation may ask");
    if (url === "/hosts" && method === "GET") return { status: 200, body: this.#list() };
    const [, host = ""] = /^\/hosts\/(h[1-9]\d?)$/.exec(url) ?? [];
    if (host === "" || Number(host.slice(1)) > MAX_HOSTS)
      return refused(404, `hosts are called h1 to h${MAX_HOSTS}`);
    if (method === "PUT") return this.#start(host);
    if (method === "DELETE") return this.#stop(host);
    return refused(405, "hosts are listed, started (PUT) and stopped (DELETE)");
  }

  #list() {
    const known = [...this.#options.members()].map(({ name, state }) => ({
      name: name.slice(PREFIX.length),
      state,
    }));
    const names = new Set(known.map(({ name }) => name));
    const begun = [...this.#starting]
      .filter((name) => !names.has(name))
      .map((name) => ({ name, state: "starting" }));
    const all = [...known.filter(({ state }) => state !== "idle"), ...begun];
    return all.map(({ name, state }) => ({ name, state: this.#stateOf(name, state) }));
  }

  #stateOf(name: string, state: string): "starting" | "running" | "stopping" {
    if (this.#stopping.has(name) || state === "stopping") return "stopping";
    return state === "running" ? "running" : "starting";
  }

  #start(host: string): Answer {
    const { start, tell } = this.#options;
    const known = this.#member(host);
    if (this.#stopping.has(host)) return refused(409, `${host} is being stopped; ask again when it is gone`);
    if (this.#starting.has(host) || (known !== undefined && known.state !== "idle"))
      return { status: 202, body: {} };
    this.#starting.add(host);
    const started = known === undefined ? start(host) : known.start();
    started
      .catch((error: Error) => {
        tell(`${host} was not started: ${error.message}`);
        this.#forget(host);
      })
      .finally(() => this.#starting.delete(host));
    return { status: 202, body: {} };
  }

  #stop(host: string): Answer {
    const known = this.#member(host);
    if (this.#stopping.has(host) || known === undefined || known.state === "idle")
      return { status: 202, body: {} };
    this.#stopping.add(host);
    void known
      .stop(DRAIN_MS)
      .catch((error: Error) => this.#options.tell(`${host} was not stopped: ${error.message}`))
      .finally(() => {
        this.#stopping.delete(host);
        if (known.state === "idle") this.#forget(host);
      });
    return { status: 202, body: {} };
  }

  #member(host: string): Supervised | undefined {
    return [...this.#options.members()].find(({ name }) => name === PREFIX + host);
  }

  #forget(host: string): void {
    this.#options.forget(PREFIX + host);
  }
}
