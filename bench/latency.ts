/** From an item that RabbitMQ has confirmed to the stanza at a real client: alone, and under load. */
import { setTimeout as pause } from "node:timers/promises";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { type Arrivals, listen, subscriber } from "./client.ts";
import { type Figure, figureOf, percentile } from "./figures.ts";
import { measureConfirms, measureFederation, measureJournalPut } from "./raw-limits.ts";
import { type BenchSource, benchSource } from "./source.ts";

const log = silentLog();
const QUIET_ITEMS = 300;
const QUIET_EVERY_MS = 25;
const LOADED_ITEMS = 10_000;

/** Signs a user up, connects a client, subscribes it to a source, and measures both beside the raw limits of the way. */
export async function measureLatency(tell: Tell, stack: Stack): Promise<Figure[]> {
  tell("measuring the raw limits of the way");
  const raw = [
    ...(await measureConfirms(stack)),
    ...(await measureJournalPut(stack)),
    ...(await measureFederation(stack)),
  ];
  const queue = await connectQueue({ url: stack.amqpUrl, log });
  const source = await benchSource(queue, "latency");
  const client = await subscriber(stack, "bench", source.url);
  const arrivals = listen(client);
  tell(`publishing ${QUIET_ITEMS} items, one after the other`);
  const quiet = await quietLatencies(source, arrivals);
  tell(`publishing ${LOADED_ITEMS} items at once`);
  const perSecond = await loaded(source, arrivals);
  await client.stop();
  await source.close();
  await queue.stop();
  const legs = 2 * figureOf(raw, "journal put p50") + 4 * figureOf(raw, "federated stanza p50");
  const way = { unit: "ms", raw: legs, beside: "raw: two journal puts, four stanzas" };
  return [
    ...raw,
    { ...way, name: "queue to client, idle p50", value: percentile(quiet, 0.5), target: { most: 20 } },
    { ...way, name: "queue to client, idle p99", value: percentile(quiet, 0.99), target: { most: 100 } },
    {
      name: "durable items to one client",
      value: perSecond,
      unit: "/s",
      raw: figureOf(raw, "federated stanzas"),
      beside: "raw: federated stanzas; target: a share of 10 %",
    },
  ];
}

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
