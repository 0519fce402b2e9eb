/**
 * A minute of items, as many as go through, with every guarantee on: queue, source avatar, durable history, client that
 * confirms. Each of ten users has one client and one source; a fixed number of items is on its way to each.
 */
import { setTimeout as pause } from "node:timers/promises";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { type Arrivals, listen, subscriber } from "./client.ts";
import { type Figure, figureOf, percentile } from "./figures.ts";
import { loopDelayFigures } from "./loop-delay.ts";
import { growthOf, MemoryWatch } from "./memory-watch.ts";
import { measureFederation } from "./raw-limits.ts";
import { type BenchSource, benchSource } from "./source.ts";

const USERS = 10;
const ON_THE_WAY = 30;
const LASTS_MS = 60_000;
const TELL_EVERY_MS = 15_000;
/** What is loaded and compiled at first is no growth (milliseconds). */
const WARM_AFTER_MS = 15_000;

export interface Person {
  readonly source: BenchSource;
  readonly arrivals: Arrivals;
  stop(): Promise<void>;
}

interface Load {
  readonly perSecond: number;
  readonly latencies: readonly number[];
}

/** Measures for a minute, with memory and event loops meanwhile. */
export async function measureSustained(tell: Tell, stack: Stack): Promise<Figure[]> {
  tell("measuring the raw federated rate");
  const raw = figureOf(await measureFederation(stack), "federated stanzas");
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  const people = await openPeople(stack, queue);
  tell(`${USERS} users are online, ${ON_THE_WAY} items on their way to each, for ${LASTS_MS / 1_000} s`);
  const sinceAt = Date.now();
  const memory = new MemoryWatch(stack.home);
  const { perSecond, latencies } = await load(tell, people, LASTS_MS);
  const samples = memory.stop();
  const repeats = people.reduce((sum, { arrivals }) => sum + arrivals.repeats, 0);
  for (const { stop } of people) await stop();
  await queue.stop();
  return [
    {
      name: "items to clients",
      value: perSecond,
      unit: "/s",
      raw,
      beside: "raw: federated stanzas, which promise nothing",
    },
    { name: "item on the queue to client p50", value: percentile(latencies, 0.5), unit: "ms" },
    { name: "item on the queue to client p99", value: percentile(latencies, 0.99), unit: "ms" },
    { name: "messages that came twice", value: repeats, unit: "", target: { most: 0 } },
    ...[...samples].map(([name, uses]) => ({
      name: `most memory of ${name}`,
      value: Math.max(...uses.map(({ rssBytes }) => rssBytes)) / 1e6,
      unit: "MB",
      target: { most: 600 },
      beside: growthOf(uses.filter(({ atMs }) => atMs > WARM_AFTER_MS)),
    })),
    ...loopDelayFigures(stack.home, sinceAt),
  ];
}

/** Ten users, each with a client that confirms and a source. */
export function openPeople(stack: Stack, queue: Queue): Promise<Person[]> {
  return Promise.all(Array.from({ length: USERS }, (_, at) => person(stack, queue, at)));
}

async function person(stack: Stack, queue: Queue, at: number): Promise<Person> {
  const source = await benchSource(queue, `sustained-${at}`);
  const client = await subscriber(stack, `sustained${at}`, source.url);
  const stop = async () => {
    await client.stop();
    await source.close();
  };
  return { source, arrivals: listen(client), stop };
}

/** As many items as go through in `lastsMs`. */
export async function load(tell: Tell, people: readonly Person[], lastsMs: number): Promise<Load> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const telling = setInterval(() => tell(`${latencies.length} items have come`), TELL_EVERY_MS);
  let number = 0;
  const lane = async ({ source, arrivals }: Person) => {
    while (performance.now() - startedAt < lastsMs) {
      const publishedAt = performance.now();
      const id = await source.publish(number++);
      latencies.push((await arrivals.of(id)) - publishedAt);
    }
  };
  await Promise.all(people.flatMap((one) => Array.from({ length: ON_THE_WAY }, () => lane(one))));
  clearInterval(telling);
  const seconds = (performance.now() - startedAt) / 1_000;
  // What comes twice comes a little later.
  await pause(1_000);
  return { perSecond: latencies.length / seconds, latencies };
}
