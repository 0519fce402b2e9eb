/**
 * The queues and their arguments, accepted by RabbitMQ 3.10 and 4.x.
 *
 *     poll.<part>, callback, mail, answer-mail, shard ──rejected, or given back 20 times──▶ tidings.dead
 *
 * Every one has a bound and refuses publishers beyond it; nothing is dropped to make room. The delivery limit stands
 * explicitly because RabbitMQ 3.10 has none by default. At-least-once dead-lettering needs `reject-publish` at the source
 * (RabbitMQ documentation, "Quorum Queues: Dead Lettering").
 */
import { QUEUES } from "@tidings/protocol";
import type { Options } from "amqplib";

const DELIVERY_LIMIT = 20;
/** An operator may look at a dead letter and give it back as often as they like; 3.10 knows no "unlimited". */
const NO_DELIVERY_LIMIT = 1_000_000;
/** Most messages in a queue. */
const MAX_LENGTH = 100_000;
const MAX_LENGTH_BYTES = 512 * 1024 * 1024;
/** Nobody waits longer for the answer to a look-up (milliseconds). */
const LOOKUP_TTL_MS = 30_000;
const MAX_LOOKUPS = 1_000;

/** Whether what cannot be worked on in the queue `name` is kept as a dead letter. */
export function keepsDeadLetters(name: string): boolean {
  return WORK.has(name) || SINGLE.test(name);
}

/** Queues of work that anybody may take. */
export const WORK: ReadonlySet<string> = new Set([QUEUES.callback, QUEUES.mail, QUEUES.answerMail]);

/** Queues that one consumer at a time takes from, and another one when it has gone. */
const SINGLE = /^tidings\.(shard|poll)\./;

/**
 * How the queue `name` is declared, or null when Tidings has no such queue. `maxLength` is the most messages in a poll or
 * shard queue; whoever declares a queue must give the same.
 */
export function queueOptions(name: string, maxLength: number = MAX_LENGTH): Options.AssertQueue | null {
  if (WORK.has(name)) return deadLettering(maxLength, {});
  if (SINGLE.test(name)) return deadLettering(maxLength, { "x-single-active-consumer": true });
  if (name === QUEUES.dead) return { durable: true, arguments: bounded(MAX_LENGTH, NO_DELIVERY_LIMIT) };
  return name === QUEUES.lookup ? LOOKUP_OPTIONS : null;
}

/** Look-ups are questions, lost without harm. The queue itself is durable: RabbitMQ 4 deprecates shared transient ones. */
const LOOKUP_OPTIONS: Options.AssertQueue = {
  durable: true,
  arguments: {
    "x-queue-type": "classic",
    "x-message-ttl": LOOKUP_TTL_MS,
    "x-max-length": MAX_LOOKUPS,
    "x-overflow": "reject-publish",
  },
};

function deadLettering(maxLength: number, more: Record<string, unknown>): Options.AssertQueue {
  return {
    durable: true,
    arguments: {
      ...bounded(maxLength, DELIVERY_LIMIT),
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": QUEUES.dead,
      "x-dead-letter-strategy": "at-least-once",
      ...more,
    },
  };
}

function bounded(maxLength: number, deliveryLimit: number): Record<string, unknown> {
  return {
    "x-queue-type": "quorum",
    "x-delivery-limit": deliveryLimit,
    "x-max-length": maxLength,
    "x-max-length-bytes": MAX_LENGTH_BYTES,
    "x-overflow": "reject-publish",
  };
}
