import { createAddressGuard } from "@tidings/outbound";
import {
  check,
  type Item,
  itemId,
  type PollJob,
  PollResult,
  parseAs,
  QUEUES,
  shardOf,
} from "@tidings/protocol";
import { MemoryBroker, type Queue, RefusedError } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFetcher, type Fetcher } from "./fetch.ts";
import { PostponedError } from "./host-manners.ts";
import { type PollTools, workOnPoll } from "./poll.ts";
import { type FetchedDocument, readDocument } from "./read-document.ts";
import { loopbackFetcher, startTestServer, type TestServer } from "./test-server.ts";

const SOURCE = "rss.0123";
const SHARD_QUEUE = QUEUES.shard("s1", shardOf(SOURCE));

let server: TestServer;
let fetcher: Fetcher;
let queue: Queue;

beforeEach(async () => {
  server = await startTestServer();
  fetcher = loopbackFetcher();
  queue = new MemoryBroker().connect();
});

afterEach(async () => {
  await queue.stop();
  await fetcher.close();
  await server.close();
});

const eventually = (expectation: () => void) => vi.waitFor(expectation, { timeout: 5_000, interval: 5 });

const job = (path = "/feed"): PollJob => ({
  job: "j1",
  source: SOURCE,
  silo: "s1",
  url: `${server.url}${path}`,
  validators: { etag: '"old"', lastModified: null },
});

/** Works on what is on the poll queue, with `tools` instead of the usual ones. */
async function startIngestor(tools: Partial<PollTools> = {}): Promise<void> {
  const all: PollTools = {
    fetch: fetcher.fetch,
    read: (document) => readDocument(document, false),
    askHub: async () => undefined,
    publish: (name, body) => queue.publish(name, body),
    now: () => 1_000,
    pause: async () => undefined,
    log: silentLog(),
    ...tools,
  };
  await queue.consume(QUEUES.poll(0), 10, (delivery) => void workOnPoll(delivery, all));
}

async function listen(name: string): Promise<string[]> {
  const bodies: string[] = [];
  await queue.consume(name, 10, (delivery) => {
    bodies.push(delivery.body);
    delivery.ack();
  });
  return bodies;
}

async function resultsOf(polled: PollJob, count: number): Promise<PollResult[]> {
  const heard = await listen(SHARD_QUEUE);
  await startIngestor();
  await queue.publish(QUEUES.poll(0), JSON.stringify(polled));
  await eventually(() => expect(heard.length).toBe(count));
  return heard.map((body) => check(PollResult, JSON.parse(body), "result"));
}

const feedOf = (items: number) => {
  const item = (n: number) => `<item><guid>${n}</guid><title>Item ${n}</title></item>`;
  return `<rss version="2.0"><channel><title>Rooms</title>${Array.from({ length: items }, (_, n) => item(items - n)).join("")}</channel></rss>`;
};

test("a poll brings the items of the feed and its new validators to the queue of the source's shard", async () => {
  server.on("/feed", feedOf(2), { etag: '"new"' });
  const [result] = await resultsOf(job(), 1);
  expect(result).toMatchObject({
    job: "j1",
    source: SOURCE,
    fetchedAt: 1_000,
    outcome: "items",
    part: 1,
    parts: 1,
    title: "Rooms",
    validators: { etag: '"new"', lastModified: null },
    failure: null,
  });
  expect(result?.items.map(({ id, title }: Item) => [id, title])).toEqual([
    [itemId(SOURCE, "1"), "Item 1"],
    [itemId(SOURCE, "2"), "Item 2"],
  ]);
  expect(server.requests[0]?.headers["if-none-match"]).toBe('"old"');
});

test("a long document comes in parts, oldest first", async () => {
  server.on("/feed", feedOf(250));
  const results = await resultsOf(job(), 3);
  expect(results.map(({ part, parts, items }) => [part, parts, items.length])).toEqual([
    [1, 3, 100],
    [2, 3, 100],
    [3, 3, 50],
  ]);
  expect(results[0]?.items[0]?.title).toBe("Item 1");
  expect(results[2]?.items.at(-1)?.title).toBe("Item 250");
});

test("an unchanged feed is told as unchanged and keeps its validators", async () => {
  server.on("/feed", (_request, response) => response.writeHead(304).end());
  expect(await resultsOf(job(), 1)).toMatchObject([
    { outcome: "unchanged", validators: { etag: '"old"' }, items: [] },
  ]);
});

test.each([
  ["a page", "<!doctype html><title>x</title>", "notAFeed"],
  ["something else", "hello", "notAFeed"],
  ["a broken feed", '{"version":"https://jsonfeed.org/version/1","items":[', "malformed"],
])("%s instead of a feed is told with the reason, and keeps the validators", async (_name, body, reason) => {
  server.on("/feed", body, { etag: '"of no feed"' });
  expect(await resultsOf(job(), 1)).toMatchObject([
    {
      outcome: "failed",
      failure: { reason, sentence: expect.stringMatching(/\.$/) },
      validators: { etag: '"old"' },
    },
  ]);
});

test("a feed that is gone is told as gone", async () => {
  server.on("/feed", (_request, response) => response.writeHead(410).end());
  expect(await resultsOf(job(), 1)).toMatchObject([{ outcome: "failed", failure: { reason: "gone" } }]);
});

test("an address that is none is told, not thrown", async () => {
  expect(await resultsOf({ ...job(), url: "http://[" }, 1)).toMatchObject([
    { failure: { reason: "address" } },
  ]);
});

test("a job that cannot be read goes to the dead-letter queue", async () => {
  const dead = await listen(QUEUES.dead);
  await startIngestor();
  await queue.publish(QUEUES.poll(0), '{"job":"half');
  await eventually(() => expect(dead).toEqual(['{"job":"half']));
});

test("a job whose result is refused is given back after a pause, and done again", async () => {
  server.on("/feed", feedOf(1));
  const heard = await listen(SHARD_QUEUE);
  const pause = vi.fn(async () => undefined);
  let refusals = 2;
  const publish = async (name: string, body: string) => {
    refusals -= 1;
    if (refusals >= 0) throw new RefusedError(name, "it is full");
    await queue.publish(name, body);
  };
  await startIngestor({ publish, pause });

  await queue.publish(QUEUES.poll(0), JSON.stringify(job()));

  await eventually(() => expect(heard.length).toBe(1));
  expect(pause).toHaveBeenCalledTimes(2);
  expect(parseAs(PollResult, heard[0] ?? "", "result").job).toBe("j1");
});

test("a job is acknowledged only after its result was confirmed", async () => {
  server.on("/feed", feedOf(1));
  const confirmed = Promise.withResolvers<void>();
  const publish = vi.fn(() => confirmed.promise);
  const ack = vi.fn();
  const tools = {
    fetch: fetcher.fetch,
    read: (document: FetchedDocument) => readDocument(document, false),
    askHub: async () => undefined,
    publish,
    now: Date.now,
    pause: async () => undefined,
  };
  const delivery = {
    body: JSON.stringify(job()),
    redelivered: false,
    ack,
    giveBack: vi.fn(),
    deadLetter: vi.fn(),
    reply: vi.fn(),
  };

  const working = workOnPoll(delivery, { ...tools, log: silentLog() });
  await eventually(() => expect(publish).toHaveBeenCalled());
  expect(ack).not.toHaveBeenCalled();
  confirmed.resolve();
  await working;

  expect(ack).toHaveBeenCalledOnce();
});

test("a poll for which its host has no time is postponed, and is no failure", async () => {
  const manners = {
    turn: async (host: string): Promise<() => void> => {
      throw new PostponedError(host, 7_000);
    },
  };
  const heard = await listen(SHARD_QUEUE);
  const polite = createFetcher(
    createAddressGuard(["127.0.0.0/8"], async () => []),
    { manners },
  );
  await startIngestor({ fetch: polite.fetch });
  await queue.publish(QUEUES.poll(0), JSON.stringify(job()));
  await eventually(() => expect(heard.length).toBe(1));
  expect(check(PollResult, JSON.parse(heard[0] ?? ""), "result")).toMatchObject({
    outcome: "postponed",
    againInMs: 7_000,
    failure: null,
  });
  await polite.close();
});
