/**
 * How long messages wait in queues. Each says when it was published; whoever consumes a queue measures it, and knows how old
 * the oldest is that nobody is done with, for a queue is first in, first out.
 */
import { gauges, histogram } from "@tidings/runtime";
import type { ConsumeMessage } from "amqplib";

/** In a message's headers: when it was published (epoch milliseconds). */
const HEADER = "published-at";

const WAITS = histogram("tidings_queue_wait_seconds", "From publishing until a consumer has the message.", {
  labels: ["queue"],
});
/** By queue, when the oldest was published that is in work. */
const oldest = new Map<string, () => number | null>();

/** The headers of a message that is published now. */
export function publishedNow(): Record<string, number> {
  return { [HEADER]: Date.now() };
}

/** When `message` was published (epoch milliseconds); now, when it does not say. */
export function publishedAtOf({ properties }: ConsumeMessage): number {
  const at: unknown = properties.headers?.[HEADER];
  return typeof at === "number" ? at : Date.now();
}

/** A message of `queue` has come. Queues of shards and parts count as one each. */
export function noteWait(queue: string, message: ConsumeMessage): void {
  const waitedMs = Date.now() - publishedAtOf(message);
  WAITS.observe({ queue: kindOf(queue) }, Math.max(0, waitedMs) / 1_000);
}

/** The age of what is oldest in `queue` is a figure of this process until the function that is returned is called. */
export function watchOldest(queue: string, oldestAt: () => number | null): () => void {
  if (oldest.size === 0) {
    gauges("tidings_queue_oldest_seconds", "Age of the oldest message that is not done with.", "queue", ages);
  }
  oldest.set(queue, oldestAt);
  return () => {
    if (oldest.get(queue) === oldestAt) oldest.delete(queue);
  };
}

function* ages(): Generator<readonly [string, number]> {
  for (const [queue, oldestAt] of oldest) {
    const at = oldestAt();
    yield [queue, at === null ? 0 : Math.max(0, Date.now() - at) / 1_000];
  }
}

/** `tidings.shard.s1.17` is `tidings.shard`. */
function kindOf(queue: string): string {
  return queue.split(".").slice(0, 2).join(".");
}
