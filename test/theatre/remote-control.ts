/**
 * The installation runs in another process than the plays; over this they kill its processes and add foreign servers.
 * Requests are POST with a JSON body, on loopback; what fails answers 500 with the error's message.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Role } from "../../run/ejabberd/nodes.ts";
import type { Stack } from "../../run/stack.ts";

interface Orders {
  /** SIGKILL; answered when the process is dead. */
  kill: { readonly process: string };
  /** Answered when the process is ready (again). */
  whenRunning: { readonly process: string };
  /** SIGKILL; answered when the process is dead, which stays so until `startProcess`. */
  holdProcess: { readonly process: string };
  /** Answered when it is ready. */
  startProcess: { readonly process: string };
  /** SIGKILL to a node of ejabberd, and a new start; answered when it is up again. */
  restartNode: { readonly role: Role };
  /** SIGKILL to a node of ejabberd, which stays down until `startNode`. */
  killNode: { readonly role: Role };
  /** Answered when it is up. */
  startNode: { readonly role: Role };
  addServer: { readonly domain: string; readonly port: number };
  removeServer: { readonly domain: string };
  /** Answered with domain → port of all servers. */
  servers: Readonly<Record<string, never>>;
}

type Order = keyof Orders;

export interface RemoteControl {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens for orders to `stack`. */
export async function serveRemoteControl(stack: Stack): Promise<RemoteControl> {
  const orders = ordersOf(stack);
  const server = createServer((request, response) => {
    void obey(orders, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Gives an order to the remote control at `url`. Rejects when it cannot be carried out. */
export async function order<N extends Order>(url: string, name: N, args: Orders[N]): Promise<unknown> {
  const response = await fetch(`${url}/${name}`, { method: "POST", body: JSON.stringify(args) });
  const answer = (await response.json()) as { result?: unknown; error?: string };
  if (!response.ok) throw new Error(answer.error);
  return answer.result;
}

type Handlers = { readonly [N in Order]: (args: Orders[N]) => unknown };

function ordersOf(stack: Stack): Handlers {
  const { srv } = stack.ejabberd;
  return {
    kill: ({ process }) => kill(stack, process),
    whenRunning: ({ process }) => stack.service(process).whenRunning(),
    holdProcess: async ({ process }) => {
      stack.service(process).kill("SIGKILL");
      await stack.service(process).stop(0);
    },
    startProcess: ({ process }) => stack.service(process).start(),
    restartNode: async ({ role }) => {
      await stack.ejabberd.kill(role);
      await stack.ejabberd.restart(role);
    },
    killNode: ({ role }) => stack.ejabberd.kill(role),
    startNode: ({ role }) => stack.ejabberd.restart(role),
    addServer: ({ domain, port }) => srv.add(domain, port),
    removeServer: ({ domain }) => srv.remove(domain),
    servers: () => Object.fromEntries(srv.domains),
  };
}

async function kill(stack: Stack, name: string): Promise<void> {
  const victim = stack.service(name);
  const { pid } = victim;
  victim.kill("SIGKILL");
  while (victim.pid === pid) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function obey(handlers: Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("connection", "close");
  try {
    const handler = handlers[request.url?.slice(1) as Order] as (args: unknown) => unknown;
    const result = await handler(JSON.parse(await textOf(request)));
    response.end(JSON.stringify({ result }));
  } catch (error) {
    response.statusCode = 500;
    response.end(JSON.stringify({ error: String(error) }));
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
