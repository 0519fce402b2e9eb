/** From an item that RabbitMQ has confirmed to the stanza at a real client: alone, and under load. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Bus, connectClient } from "@tidings/bus";
import { xml } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import { type Figure, percentile } from "./figures.ts";
import { type BenchSource, benchSource } from "./source.ts";

const log = silentLog();
const QUIET_ITEMS = 300;
const QUIET_EVERY_MS = 25;
const LOADED_ITEMS = 10_000;

/** Signs a user up, connects a client, subscribes it to a source, and measures both. */
export async function measureLatency(stack: Stack): Promise<Figure[]> {
  const queue = await connectQueue({ url: stack.amqpUrl, log });
  const source = await benchSource(queue, "latency");
  const client = await subscriber(stack, source.url);
  const arrivals = listen(client);
  const quiet = await quietLatencies(source, arrivals);
  const perSecond = await loaded(source, arrivals);
  await client.stop();
  await source.close();
  await queue.stop();
  return [
    { name: "queue to client, idle p50", value: percentile(quiet, 0.5), unit: "ms", beside: "target < 20" },
    { name: "queue to client, idle p99", value: percentile(quiet, 0.99), unit: "ms", beside: "target < 100" },
    { name: "durable items to one client", value: perSecond, unit: "/s" },
  ];
}

type Arrivals = ReturnType<typeof listen>;

async function quietLatencies(source: BenchSource, arrivals: Arrivals): Promise<number[]> {
  const latencies: number[] = [];
  for (let number = 0; number < QUIET_ITEMS; number++) {
    const id = await source.publish(number);
    const confirmedAt = performance.now();
    latencies.push(Math.max(0, (await arrivals.of(id)) - confirmedAt));
    await pause(QUIET_EVERY_MS);
  }
  return latencies;
}

async function loaded(source: BenchSource, arrivals: Arrivals): Promise<number> {
  const startedAt = performance.now();
  const ids = await Promise.all(
    Array.from({ length: LOADED_ITEMS }, (_, at) => source.publish(QUIET_ITEMS + at)),
  );
  const times = await Promise.all(ids.map((id) => arrivals.of(id)));
  return LOADED_ITEMS / ((Math.max(...times) - startedAt) / 1_000);
}

/** When each message came first, by its id. */
function listen(client: Bus) {
  const arrived = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  client.onStanza((stanza) => {
    const id: string = stanza.attrs.id ?? "";
    if (!stanza.is("message") || arrived.has(id)) return;
    const at = performance.now();
    arrived.set(id, at);
    waiting.get(id)?.(at);
    if (stanza.getChild("request", "urn:xmpp:receipts") === undefined) return;
    const receipt = xml("received", { xmlns: "urn:xmpp:receipts", id });
    void client.send(xml("message", { type: "chat", to: stanza.attrs.from }, receipt));
  });
  return {
    of: (id: string): Promise<number> => {
      const at = arrived.get(id);
      if (at !== undefined) return Promise.resolve(at);
      return new Promise((resolve) => waiting.set(id, resolve));
    },
  };
}

async function subscriber(stack: Stack, url: string): Promise<Bus> {
  const account = { name: `bench${Date.now().toString(36)}`, password: "bench bench bench" };
  await post(stack, "/v1/users", account);
  const { token } = await post<{ token: string }>(stack, "/v1/sessions", account);
  const authority = await readFile(join(stack.home, "ca.crt"), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), authority]);
  const client = connectClient({
    url: `xmpp://127.0.0.1:${stack.ports.xmpp}`,
    domain: stack.domain,
    username: account.name,
    password: account.password,
    log,
  });
  if (!client.isOnline) await new Promise<void>((resolve) => client.onOnline(resolve));
  await client.send(xml("presence"));
  await post(stack, "/v1/subscriptions", { url }, token);
  await present(stack, token);
  return client;
}

async function present(stack: Stack, token: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`${stack.webUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    if (((await response.json()) as { presence: unknown[] }).presence.length > 0) return;
    await pause(50);
  }
  throw new Error("the client's presence never reached its avatar");
}

async function post<T>(stack: Stack, path: string, body: unknown, token?: string): Promise<T> {
  const response = await fetch(stack.webUrl + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
