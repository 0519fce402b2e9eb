/** Items as their ingestor puts them on the queue of the source's shard, also while nobody consumes it. */
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
import { guidOf, type NumberedFeed, titleOf } from "./numbered-feed.ts";

/** Items of one result. */
const PART = 100;

/** Adds `count` items to `feed` and puts them on the queue; resolves when RabbitMQ has confirmed all. */
export async function queueItems(queue: Queue, feed: NumberedFeed, count: number): Promise<void> {
  const source = sourceOf(feed);
  const first = feed.published + 1;
  feed.publishes(count);
  for (let from = first; from < first + count; from += PART) {
    const upTo = Math.min(from + PART, first + count);
    const items = Array.from({ length: upTo - from }, (_, at) =>
      itemOf(source, guidOf(feed.name, from + at), titleOf(feed.name, from + at)),
    );
    await queue.publish(queueOf(feed), JSON.stringify(resultOf(feed, items)));
  }
}

/** The queue that the results of polling `feed` are put on. */
export function queueOf(feed: NumberedFeed): string {
  return QUEUES.shard("s1", shardOf(sourceOf(feed)));
}

/** One item of `feed` with any title, in no document. */
export function strayItem(feed: NumberedFeed, guid: string, title: string): Item {
  return itemOf(sourceOf(feed), guid, title);
}

/** What an ingestor says of a successful poll of `feed`. */
export function resultOf(feed: NumberedFeed, items: Item[]): PollResult {
  return {
    job: "crash",
    source: sourceOf(feed),
    fetchedAt: Date.now(),
    outcome: "items",
    part: 1,
    parts: 1,
    title: feed.name,
    validators: { etag: null, lastModified: null },
    items,
    failure: null,
  };
}

function sourceOf({ url }: NumberedFeed): string {
  return feedSource(canonicalFeedUrl(url));
}

function itemOf(source: string, guid: string, title: string): Item {
  return { id: itemId(source, guid), title, link: null, summary: null, author: null, publishedAt: null };
}
