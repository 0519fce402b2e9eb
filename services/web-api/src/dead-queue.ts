/** RabbitMQ's dead letters: looked at without being taken, and published again to where they came from. */
import { createHash } from "node:crypto";
import {
  type DeadLetterView,
  deadLetterId,
  EXCERPT_CHARS,
  FIRST_SILO,
  MalformedError,
  PollJob,
  PollResult,
  parseAs,
  pollPart,
  QUEUES,
  shardOf,
} from "@tidings/protocol";
import type { Delivery, Queue } from "@tidings/queue";
import { Problem } from "./problem.ts";

/** Most messages that are looked at; there may be more behind them. */
const MOST = 500;
/** After this long without a further message the queue counts as read (milliseconds). */
const QUIET_MS = 250;

export type DeadQueue = Pick<Queue, "consume" | "publish">;

/** The dead letters of the queues, oldest first, at most 500. */
export function listDeadQueue(queue: DeadQueue): Promise<DeadLetterView[]> {
  return looking(queue, async (deliveries) => deliveries.map(({ body }) => viewOf(body)));
}

/** Publishes the dead letter `key` again to its queue, and takes it away. Rejects with Problem 404 or 422. */
export function replayFromDeadQueue(queue: DeadQueue, key: string): Promise<void> {
  return looking(queue, async (deliveries) => {
    const delivery = deliveries.find(({ body }) => keyOf(body) === key);
    if (delivery === undefined) throw new Problem(404, "There is no such dead letter.");
    const { origin } = read(delivery.body);
    if (origin === null)
      throw new Problem(422, "It is neither a poll job nor a result, so nobody knows where it belongs.");
    await queue.publish(origin, delivery.body);
    delivery.ack();
  });
}

/** What is not acknowledged meanwhile goes back to the queue. */
async function looking<T>(queue: DeadQueue, use: (deliveries: Delivery[]) => Promise<T>): Promise<T> {
  const deliveries: Delivery[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, QUIET_MS);
  const consumer = await queue.consume(QUEUES.dead, MOST, (delivery) => {
    deliveries.push(delivery);
    timer.refresh();
    if (deliveries.length === MOST) resolve();
  });
  try {
    timer.refresh();
    await promise;
    return await use(deliveries);
  } finally {
    clearTimeout(timer);
    await consumer.cancel();
  }
}

interface Reading {
  readonly kind: string;
  readonly at: number | null;
  readonly origin: string | null;
}

function read(body: string): Reading {
  try {
    const { url } = parseAs(PollJob, body, "poll job");
    return { kind: "pollJob", at: null, origin: QUEUES.poll(pollPart(url)) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return readResult(body);
  }
}

/** A result does not name its silo; this release has one. */
function readResult(body: string): Reading {
  try {
    const { source, fetchedAt } = parseAs(PollResult, body, "poll result");
    return { kind: "pollResult", at: fetchedAt, origin: QUEUES.shard(FIRST_SILO, shardOf(source)) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return { kind: "unknown", at: null, origin: null };
  }
}

function viewOf(body: string): DeadLetterView {
  const { kind, at } = read(body);
  const id = deadLetterId(QUEUES.dead, keyOf(body));
  const error = "RabbitMQ gave it up: it was refused, or delivered too often";
  return { id, owner: QUEUES.dead, at, kind, error, excerpt: body.slice(0, EXCERPT_CHARS).toWellFormed() };
}

function keyOf(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, 32);
}
