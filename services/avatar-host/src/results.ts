import { isSendable, MalformedError, PollResult, parseAs } from "@tidings/protocol";
import type { Consumer, Delivery, Queue } from "@tidings/queue";
import { crashPoint, type Log } from "@tidings/runtime";
import type { Shard } from "./shard/shard.ts";

const PREFETCH = 100;
const PRESSURE_PAUSE_MS = 50;

/** What of a shard takes results. */
export type ResultTaker = Pick<Shard, "isUnderPressure" | "onPollResult">;

/**
 * Feeds a shard from its queue of poll results. A result is acknowledged when it is in the journal; while the shard is under
 * pressure results wait here, at most as many as are prefetched, and then in RabbitMQ.
 */
export function consumeResults(queue: Queue, name: string, shard: ResultTaker, log: Log): Promise<Consumer> {
  const waiting: Delivery[] = [];
  const take = (delivery: Delivery) => {
    try {
      const result = cleanOnly(parseAs(PollResult, delivery.body, "poll result"));
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

/**
 * Ingestors clean what they read; text that was not cleaned could be told to nobody. Throws MalformedError for it, so that it
 * stays where an operator sees it.
 */
function cleanOnly(result: PollResult): PollResult {
  for (const { id, title, summary, link, author } of result.items) {
    if (![title, summary, link, author].every((text) => text === null || isSendable(text)))
      throw new MalformedError(`poll result: item ${id} holds characters that XML forbids`);
  }
  const around = [result.title, result.failure?.sentence ?? null];
  if (around.every((text) => text === null || isSendable(text))) return result;
  throw new MalformedError("poll result: it holds characters that XML forbids");
}

function acknowledge(delivery: Delivery): void {
  crashPoint("result.ack.before");
  delivery.ack();
  crashPoint("result.ack.after");
}
