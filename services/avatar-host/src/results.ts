import { MalformedError, PollResult, parseAs } from "@tidings/protocol";
import type { Consumer, Delivery, Queue } from "@tidings/queue";
import { crashPoint, type Log } from "@tidings/runtime";
import type { Shard } from "./shard/shard.ts";

const PREFETCH = 100;
const PRESSURE_PAUSE_MS = 50;

/**
 * Feeds a shard from its queue of poll results. A result is acknowledged when it is in the journal; while the shard is under
 * pressure results wait here, at most as many as are prefetched, and then in RabbitMQ.
 */
export function consumeResults(queue: Queue, name: string, shard: Shard, log: Log): Promise<Consumer> {
  const waiting: Delivery[] = [];
  const take = (delivery: Delivery) => {
    try {
      const result = parseAs(PollResult, delivery.body, "poll result");
      shard.onPollResult(result, () => acknowledge(delivery));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      log.error({ err: error, queue: name }, "poll result is malformed, kept as a dead letter");
      delivery.deadLetter();
    }
  };
  const drain = () => {
    while (waiting.length > 0 && !shard.isUnderPressure) take(waiting.shift() as Delivery);
    if (waiting.length > 0) setTimeout(drain, PRESSURE_PAUSE_MS);
  };
  return queue.consume(name, PREFETCH, (delivery) => {
    if (waiting.length === 0 && !shard.isUnderPressure) return take(delivery);
    if (waiting.push(delivery) === 1) setTimeout(drain, PRESSURE_PAUSE_MS);
  });
}

function acknowledge(delivery: Delivery): void {
  crashPoint("result.ack.before");
  delivery.ack();
  crashPoint("result.ack.after");
}
