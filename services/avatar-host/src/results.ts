import { type Item, isSendable, MalformedError, parseAs, ShardMessage } from "@tidings/protocol";
import type { Consumer, Delivery, Queue } from "@tidings/queue";
import { crashPoint, type Log } from "@tidings/runtime";
import type { Shard } from "./shard/shard.ts";
import type { Stimulus } from "./shard/stimulus.ts";

const PREFETCH = 100;
const PRESSURE_PAUSE_MS = 50;

/** What of a shard takes what its queue holds. */
export type ResultTaker = Pick<Shard, "isUnderPressure" | "onQueued">;

/**
 * Feeds a shard from its queue: results of polls, what programs publish, and what became of callbacks. A message is
 * acknowledged when it is in the journal; while the shard is under pressure messages wait here, at most as many as are
 * prefetched, and then in RabbitMQ.
 */
export function consumeResults(queue: Queue, name: string, shard: ResultTaker, log: Log): Promise<Consumer> {
  const waiting: Delivery[] = [];
  const take = (delivery: Delivery) => {
    try {
      const message = cleanOnly(parseAs(ShardMessage, delivery.body, "message for a shard"));
      shard.onQueued(message.source, stimulusOf(message), () => acknowledge(delivery));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      log.error({ err: error, queue: name }, "message for the shard is malformed, kept as a dead letter");
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

function stimulusOf(message: ShardMessage): Stimulus {
  if ("publication" in message) return { kind: "published", publication: message };
  if ("callback" in message) return { kind: "callbackResult", result: message };
  return { kind: "pollResult", result: message };
}

/**
 * Whoever puts messages here cleans what they read; text that was not cleaned could be told to nobody. Throws MalformedError
 * for it, so that it stays where an operator sees it.
 */
function cleanOnly(message: ShardMessage): ShardMessage {
  for (const item of itemsIn(message)) {
    if (!textsOf(item).every(isSendable))
      throw new MalformedError(`message for a shard: item ${item.id} holds characters that XML forbids`);
  }
  if (aroundIn(message).every((text) => text === null || isSendable(text))) return message;
  throw new MalformedError("message for a shard: it holds characters that XML forbids");
}

function itemsIn(message: ShardMessage): readonly Item[] {
  if ("publication" in message) return message.items.map(({ item }) => item);
  return "callback" in message ? [] : message.items;
}

function textsOf({ title, summary, link, author, categories = [], options = [] }: Item): string[] {
  const texts = [title, summary, link, author, ...categories, ...options.map(({ label }) => label)];
  return texts.filter((text) => text !== null);
}

function aroundIn(message: ShardMessage): (string | null)[] {
  if ("publication" in message) return [];
  return "callback" in message ? [message.sentence] : [message.title, message.failure?.sentence ?? null];
}

function acknowledge(delivery: Delivery): void {
  crashPoint("result.ack.before");
  delivery.ack();
  crashPoint("result.ack.after");
}
