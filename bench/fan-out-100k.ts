/**
 * One item to a hundred thousand user avatars, durable in each history, while other users go on: their avatars are called,
 * and their own sources bring them items. Everybody of the hundred thousand is offline, so the item is held for each.
 */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { addressesOf, busChild, canonicalFeedUrl, readDispatches, SHARDS, shardOf } from "@tidings/protocol";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { Table } from "@tidings/store";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { AvatarCaller } from "./avatar-caller.ts";
import { type Amounts, type BareTimes, measureBareFanOut } from "./bare-fan-out.ts";
import { type Figure, percentile } from "./figures.ts";
import { loopDelayFigures } from "./loop-delay.ts";
import { cpuSince, usesOf } from "./processes.ts";
import { component } from "./raw-limits.ts";
import { Seed, shardPath } from "./seed.ts";
import { publisherOf } from "./source.ts";

const SUBSCRIBERS = 100_000;
const OTHERS = 64;
const HOSTS = ["h1", "h2"];
const CALL_EVERY_MS = 10;
const ITEM_EVERY_MS = 50;
/** The first calls wait until the hosts have their shards, and wake whom they are for (milliseconds). */
const WARM_UP_MS = 3_000;
const IDLE_MS = 3_000;
const POLL_MS = 20;
const WITHIN_MS = 120_000;
/** A host writes what is durable into its files within this time (milliseconds). */
const FLUSHED_MS = 1_500;

const BIG = canonicalFeedUrl("http://127.0.0.1:9/big.rss");
const subscribers = Array.from({ length: SUBSCRIBERS }, (_, at) => `fan${at}`);
const others = Array.from({ length: OTHERS }, (_, at) => ({
  name: `other${at}`,
  url: canonicalFeedUrl(`http://127.0.0.1:9/other-${at}.rss`),
}));

/** Writes the subscribers and the others into the state folder; resolves with the secret of their sessions. */
export async function seedFanOut(home: string, domain: string): Promise<string> {
  const seed = new Seed(domain);
  await seed.add({ names: subscribers, follow: [BIG], arePresent: false });
  for (const { name, url } of others) await seed.add({ names: [name], follow: [url], arePresent: true });
  seed.write(home, HOSTS);
  return seed.session;
}

/** A frame's JSON: two hundred names and one notification (bytes). */
const FRAME_BYTES = 3_000;

/** Tells one item and measures until every history has it, what it costs, and what the others notice. */
export async function measureLargeFanOut(tell: Tell, stack: Stack, session: string): Promise<Figure[]> {
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  const caller = await AvatarCaller.connect(stack, () => session);
  const rowsBefore = rowsOf(stack.home);
  tell(`${OTHERS} other users have items and calls`);
  const traffic = await otherTraffic(stack, caller, queue);
  await traffic.runs(WARM_UP_MS);
  traffic.take();
  await traffic.runs(IDLE_MS);
  const idle = traffic.take();
  const before = {
    uses: usesOf(stack.home),
    journal: await journalOf(stack),
    counters: await caller.counters(),
  };
  tell(`telling ${SUBSCRIBERS} one item`);
  const [startedAt, sinceAt] = [performance.now(), Date.now()];
  const id = await publisherOf(queue, BIG)(1);
  await toldToAll(caller, id);
  const tookMs = performance.now() - startedAt;
  const during = traffic.take();
  const after = {
    uses: usesOf(stack.home),
    journal: await journalOf(stack),
    counters: await caller.counters(),
  };
  await traffic.stop();
  await pause(FLUSHED_MS);
  const holders = countHolders(stack.home, id);
  if (holders !== SUBSCRIBERS) throw new Error(`${holders} of ${SUBSCRIBERS} histories hold the item`);
  const uses = usesOf(stack.home);
  const bytes = fileBytes(stack.home);
  const amounts = amountsOf({ before, after }, rowsBefore, rowsOf(stack.home));
  tell(
    `writing ${amounts.rows} rows and ${amounts.records} records, sending ${amounts.stanzas} frames, bare`,
  );
  const bare = await measureBareFanOut(stack, amounts);
  const figures = [
    ...timeFigures(tookMs, bare),
    ...bareFigures(amounts, bare),
    ...latencyFigures("idle", idle),
    ...latencyFigures("meanwhile", during),
    ...loopDelayFigures(stack.home, sinceAt),
    ...costFigures(before, after),
    { name: "SQLite files of the hosts", value: bytes / 1e6, unit: "MB" },
    ...uses.map(({ name, pid, peakRssBytes }) => ({
      name: `peak RSS ${name} (${pid})`,
      value: peakRssBytes / 1e6,
      unit: "MB",
      target: { most: 600 },
    })),
  ];
  await Promise.all([caller.stop(), queue.stop()]);
  return figures;
}

/** The last of the subscribers has the item and no frame waits: then everybody has it. */
async function toldToAll(caller: AvatarCaller, id: string): Promise<void> {
  const last = subscribers.reduce((a, b) => (isAfter(b, a) ? b : a));
  const untilAt = Date.now() + WITHIN_MS;
  while ((await caller.newest(last)) !== id) {
    if (Date.now() > untilAt) throw new Error(`${last} has not heard within ${WITHIN_MS} ms`);
    await pause(POLL_MS);
  }
  await caller.allAcknowledged(HOSTS);
}

/** Subscribers are told in the order of their shards, then of their names. */
function isAfter(one: string, other: string): boolean {
  return shardOf(one) === shardOf(other) ? one > other : shardOf(one) > shardOf(other);
}

interface Latencies {
  readonly calls: number[];
  readonly items: number[];
}

/** Calls and items of the other users, until it is stopped; `take` gives the latencies since the last `take`. */
async function otherTraffic(stack: Stack, caller: AvatarCaller, queue: Queue) {
  const agent = await component(stack, "agents", addressesOf(stack.domain).im);
  const publishers = others.map(({ url }) => publisherOf(queue, url));
  const publishedAt = new Map<string, number>();
  let latencies: Latencies = { calls: [], items: [] };
  agent.onStanza((stanza) => {
    const child = busChild(stanza);
    if (child?.name !== "dispatches") return;
    for (const { notification } of readDispatches(child)) {
      const at = publishedAt.get(notification.id);
      if (at !== undefined) latencies.items.push(performance.now() - at);
      publishedAt.delete(notification.id);
    }
  });
  let number = 0;
  const call = async () => {
    const into = latencies;
    into.calls.push(await caller.answerMs(others[number++ % OTHERS]?.name as string));
  };
  const publish = async () => {
    const id = await publishers[number++ % OTHERS]?.(number);
    if (id !== undefined) publishedAt.set(id, performance.now());
  };
  const failures: unknown[] = [];
  const noted = (work: () => Promise<void>) => () => void work().catch((error) => failures.push(error));
  const timers = [setInterval(noted(call), CALL_EVERY_MS), setInterval(noted(publish), ITEM_EVERY_MS)];
  return {
    runs: (ms: number) => pause(ms),
    take: () => {
      const taken = latencies;
      latencies = { calls: [], items: [] };
      return taken;
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      await agent.stop();
      if (failures.length > 0) throw failures[0];
    },
  };
}

function timeFigures(tookMs: number, { sqliteMs, tableMs, busMs }: BareTimes): Figure[] {
  const rawMs = sqliteMs + tableMs + busMs;
  return [
    {
      name: `one item, ${SUBSCRIBERS} durable histories`,
      value: tookMs,
      unit: "ms",
      target: { most: 10_000 },
      raw: rawMs,
      beside: "raw: the three below, one after the other",
    },
    {
      name: "durable deliveries",
      value: SUBSCRIBERS / (tookMs / 1_000),
      unit: "/s",
      raw: SUBSCRIBERS / (rawMs / 1_000),
    },
  ];
}

function bareFigures(amounts: Amounts, { sqliteMs, tableMs, busMs }: BareTimes): Figure[] {
  const { rows, rowBytes, records, recordBytes, stanzas } = amounts;
  return [
    { name: "bare SQLite", value: sqliteMs, unit: "ms", beside: `${rows} rows of ${rowBytes.toFixed(0)} B` },
    {
      name: "bare table writes",
      value: tableMs,
      unit: "ms",
      beside: `${records} puts of ${(recordBytes / 1_000).toFixed(1)} KB`,
    },
    {
      name: "bare bus",
      value: busMs,
      unit: "ms",
      beside: `${stanzas} frames of ${FRAME_BYTES} B, with the acknowledgements`,
    },
  ];
}

function latencyFigures(when: string, { calls, items }: Latencies): Figure[] {
  const rest = when === "idle" ? { beside: "before the fan-out" } : { target: { most: 300 } };
  return [
    { name: `others' calls ${when} p50`, value: percentile(calls, 0.5), unit: "ms" },
    { name: `others' calls ${when} p99`, value: percentile(calls, 0.99), unit: "ms", ...rest },
    { name: `others' items ${when} p50`, value: percentile(items, 0.5), unit: "ms" },
    { name: `others' items ${when} p99`, value: percentile(items, 0.99), unit: "ms", ...rest },
  ];
}

interface Sample {
  readonly uses: ReturnType<typeof usesOf>;
  readonly journal: { readonly records: number; readonly bytes: number };
  readonly counters: { readonly forwarded: number };
}

function costFigures(before: Sample, after: Sample): Figure[] {
  const bytes = after.journal.bytes - before.journal.bytes;
  return [
    { name: "journal records", value: after.journal.records - before.journal.records, unit: "" },
    { name: "journal", value: bytes / 1e6, unit: "MB", beside: "with the others' share" },
    { name: "journal bytes per history", value: bytes / SUBSCRIBERS, unit: "B" },
    {
      name: "stanzas through the router",
      value: after.counters.forwarded - before.counters.forwarded,
      unit: "",
    },
    ...[...cpuSince(before.uses, after.uses)].map(([name, ms]) => ({
      name: `CPU ${name}`,
      value: ms,
      unit: "ms",
    })),
  ];
}

interface Rows {
  readonly count: number;
  readonly bytes: number;
}

/** How much of what the hosts wrote and sent was the fan-out: the others' share is small. */
function amountsOf({ before, after }: { before: Sample; after: Sample }, from: Rows, to: Rows): Amounts {
  const rows = to.count - from.count;
  const records = after.journal.records - before.journal.records;
  return {
    rows,
    rowBytes: (to.bytes - from.bytes) / rows,
    records,
    recordBytes: (after.journal.bytes - before.journal.bytes) / records,
    stanzas: after.counters.forwarded - before.counters.forwarded,
    stanzaBytes: FRAME_BYTES,
  };
}

/** The rows in all files of the hosts, and the bytes of their names, keys and values. */
function rowsOf(home: string): Rows {
  const sum = "count(*) AS count, sum(length(avatar) + length(key) + length(value)) AS bytes";
  const all = files(home).map((path) => {
    const file = new DatabaseSync(path, { readOnly: true });
    const rows = file.prepare(`SELECT ${sum} FROM rows WHERE value IS NOT NULL`).get() as unknown as Rows;
    file.close();
    return rows;
  });
  return {
    count: all.reduce((total, { count }) => total + count, 0),
    bytes: all.reduce((total, { bytes }) => total + bytes, 0),
  };
}

async function journalOf(stack: Stack): Promise<{ records: number; bytes: number }> {
  const table = new Table({ endpoint: stack.dynamoEndpoint });
  let records = 0;
  let bytes = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    for await (const item of table.query(`J#s1#${shard}`)) {
      records++;
      bytes += item.blob?.B?.length ?? 0;
    }
  }
  table.stop();
  return { records, bytes };
}

function countHolders(home: string, id: string): number {
  return files(home).reduce((sum, path) => {
    const file = new DatabaseSync(path, { readOnly: true });
    const { count } = file.prepare("SELECT count(*) AS count FROM rows WHERE key = ?").get(`i/${id}`) as {
      count: number;
    };
    file.close();
    return sum + count;
  }, 0);
}

function fileBytes(home: string): number {
  return files(home).reduce((sum, path) => sum + statSync(path).size, 0);
}

function files(home: string): string[] {
  return HOSTS.flatMap((host) => Array.from({ length: SHARDS }, (_, shard) => shardPath(home, host, shard)));
}
