/** A source whose items the bench publishes itself, exactly as an ingestor does. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  canonicalFeedUrl,
  feedSource,
  type Item,
  itemId,
  type PollResult,
  QUEUES,
  shardOf,
} from "@tidings/protocol";
import type { Queue } from "@tidings/queue";

export interface BenchSource {
  readonly url: string;
  readonly source: string;
  /** Publishes one new item; resolves when RabbitMQ has confirmed it, with the item's id. */
  publish(number: number): Promise<string>;
  close(): Promise<void>;
}

/** A feed on loopback with one item, so that it can be subscribed to; its further items come through the queue alone. */
export async function benchSource(queue: Queue, name: string): Promise<BenchSource> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/rss+xml");
    response.end(
      `<rss version="2.0"><channel><title>${name}</title><item><guid>first</guid><title>First</title></item></channel></rss>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = canonicalFeedUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}.rss`);
  const source = feedSource(url);
  return { url, source, publish: publisherOf(queue, url), close: () => closed(server) };
}

/**
 * Publishes new items of the feed at the canonical address `url` as its ingestor does: the function resolves when RabbitMQ
 * has confirmed the item with that number, to the item's id.
 */
export function publisherOf(queue: Queue, url: string): (number: number) => Promise<string> {
  const source = feedSource(url);
  return async (number) => {
    const result = resultWith(source, number);
    await queue.publish(QUEUES.shard("s1", shardOf(source)), JSON.stringify(result));
    return result.items[0]?.id as string;
  };
}

/** The item of `source` with that number, as long as items of feeds are. */
export function itemOf(source: string, number: number): Item {
  return {
    id: itemId(source, `item ${number}`),
    title: `Item ${number}: two rooms on a quiet street, close to the park`,
    link: `http://rooms.example/items/${number}`,
    summary: "Two rooms, 62 square metres, third floor, balcony to the south. ".repeat(5),
    author: null,
    publishedAt: null,
  };
}

function resultWith(source: string, number: number): PollResult {
  return {
    job: "bench",
    source,
    fetchedAt: Date.now(),
    outcome: "items",
    part: 1,
    parts: 1,
    title: "Bench",
    validators: { etag: null, lastModified: null },
    items: [itemOf(source, number)],
    failure: null,
  };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
