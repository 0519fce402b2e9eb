/** What one ingestor polls: feeds that have not changed, and feeds that have to be read. */
import { setTimeout as pause } from "node:timers/promises";
import { type PollJob, type PollResult, pollPart, QUEUES, shardOf } from "@tidings/protocol";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { Agent } from "undici";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { readDocument } from "../services/ingest-rss/src/read-document.ts";
import type { Figure } from "./figures.ts";
import { usesOf } from "./processes.ts";
import { feedOf, openWebSite } from "./web-site.ts";

/** As many feeds as one ingestor is to have. */
const FEEDS = 10_000;
const ROUNDS = 2;
const READ_FEEDS = 3_000;
const READ_BYTES = 30_000;
/** Requests at a time: what ingest-rss has by default. */
const AT_A_TIME = 20;
const SOURCE = "rss.bench";
const SHARD_QUEUE = QUEUES.shard("s1", shardOf(SOURCE));

/** Measures on an installation with one ingestor and no avatars. */
export async function measurePolls(tell: Tell, stack: Stack): Promise<Figure[]> {
  const document = feedOf(READ_BYTES);
  const site = await openWebSite(document);
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  try {
    tell("measuring the raw limits: requests, and the parser alone");
    const rawUnchanged = await requestsPerSecond(site.origin);
    const rawRead = await readingsPerSecond(document);
    const results = await ResultCount.open(queue);
    await results.of(1_000, { queue, origin: site.origin, etag: '"1"', outcome: "unchanged" });
    tell(`polling ${FEEDS} feeds that have not changed, ${ROUNDS} times`);
    const asked = { queue, origin: site.origin, etag: '"1"', outcome: "unchanged" } as const;
    const unchanged = await results.of(FEEDS * ROUNDS, asked);
    tell(`polling ${READ_FEEDS} feeds of ${READ_BYTES / 1_000} KB`);
    const read = await results.of(READ_FEEDS, { ...asked, etag: null, outcome: "items" });
    const ingestor = usesOf(stack.home).find(({ name }) => name === "ingest-rss");
    return [
      {
        name: "unchanged feeds polled",
        value: unchanged,
        unit: "/s",
        raw: rawUnchanged,
        beside: "raw: undici's own 304s; each poll is a job and a result through RabbitMQ, confirmed",
      },
      { name: `a round of ${FEEDS} feeds`, value: FEEDS / unchanged, unit: "s" },
      {
        name: "30 KB feeds fetched and parsed",
        value: read,
        unit: "/s",
        raw: rawRead,
        beside: "raw: the parser alone, in one thread",
      },
      {
        name: "memory of the ingestor, at most",
        value: (ingestor?.peakRssBytes ?? Number.NaN) / 1_000_000,
        unit: "MB",
      },
    ];
  } finally {
    await queue.stop();
    await site.close();
  }
}

interface Asked {
  readonly queue: Queue;
  readonly origin: string;
  readonly etag: string | null;
  readonly outcome: PollResult["outcome"];
}

/** Counts the results that come to the queue of the shard. */
class ResultCount {
  #count = 0;
  #wrong: PollResult | null = null;
  #wanted: PollResult["outcome"] = "unchanged";
  #waits: { readonly count: number; readonly resolve: () => void } | null = null;

  static async open(queue: Queue): Promise<ResultCount> {
    const results = new ResultCount();
    await queue.consume(SHARD_QUEUE, 1_000, (delivery) => {
      results.#hear(JSON.parse(delivery.body) as PollResult);
      delivery.ack();
    });
    return results;
  }

  /** Puts `count` jobs on the queues, and resolves to how many are polled in a second. */
  async of(count: number, { queue, origin, etag, outcome }: Asked): Promise<number> {
    this.#count = 0;
    this.#wanted = outcome;
    const all = new Promise<void>((resolve) => {
      this.#waits = { count, resolve };
    });
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: count }, (_, at) => queue.publish(...jobOf(`${origin}/${at % FEEDS}`, etag))),
    );
    await all;
    const perSecond = count / ((performance.now() - startedAt) / 1_000);
    if (this.#wrong !== null) throw new Error(`not ${outcome}: ${JSON.stringify(this.#wrong).slice(0, 500)}`);
    return perSecond;
  }

  #hear(result: PollResult): void {
    if (result.outcome !== this.#wanted) this.#wrong = result;
    if (result.part === result.parts) this.#count++;
    if (this.#waits !== null && this.#count >= this.#waits.count) this.#waits.resolve();
  }
}

function jobOf(url: string, etag: string | null): [string, string] {
  const job: PollJob = {
    job: "bench",
    source: SOURCE,
    silo: "s1",
    url,
    validators: { etag, lastModified: null },
  };
  return [QUEUES.poll(pollPart(url)), JSON.stringify(job)];
}

async function requestsPerSecond(origin: string): Promise<number> {
  const agent = new Agent({ connections: AT_A_TIME, pipelining: 1 });
  const request = async (path: string) => {
    const { body, statusCode } = await agent.request({
      origin,
      path,
      method: "GET",
      headers: { "if-none-match": '"1"' },
    });
    await body.dump();
    if (statusCode !== 304) throw new Error(`the site answered ${statusCode}`);
  };
  const run = async (count: number) => {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await request(`/${left % FEEDS}`);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  };
  await run(1_000);
  const startedAt = performance.now();
  await run(FEEDS);
  const perSecond = FEEDS / ((performance.now() - startedAt) / 1_000);
  await agent.destroy();
  return perSecond;
}

async function readingsPerSecond(document: string): Promise<number> {
  const fetched = {
    body: Buffer.from(document),
    contentType: "",
    url: "http://rooms.example/feed",
    source: SOURCE,
  };
  const run = async (count: number) => {
    for (let at = 0; at < count; at++) await readDocument(fetched, false);
  };
  await run(100);
  // What the garbage collector of the warm-up leaves is not the parser's.
  await pause(100);
  const startedAt = performance.now();
  await run(500);
  return 500 / ((performance.now() - startedAt) / 1_000);
}
