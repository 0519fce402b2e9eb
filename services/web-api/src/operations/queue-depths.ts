/** RabbitMQ's queues: how many messages wait in each, and which are not as they should be. */
import { FIRST_SILO, POLL_PARTS, QUEUES, SHARDS } from "@tidings/protocol";
import type { Queue, QueueStanding } from "@tidings/queue";

/** Queues that are asked about at a time. */
const AT_ONCE = 8;

export interface QueueDepth {
  readonly queue: string;
  /** Messages that no consumer has been given. */
  readonly waiting: number;
}

const NAMES: readonly string[] = [
  ...Array.from({ length: POLL_PARTS }, (_, part) => QUEUES.poll(part)),
  ...Array.from({ length: SHARDS }, (_, shard) => QUEUES.shard(FIRST_SILO, shard)),
  QUEUES.lookup,
  QUEUES.mail,
  QUEUES.callback,
  QUEUES.answerMail,
  QUEUES.dead,
];

/** What was read is good for so long: pages, commands and Prometheus ask at the same time (milliseconds). */
const FRESH_MS = 1_000;

/** All of them, the longest first. */
export class QueueDepths {
  readonly #queue: Pick<Queue, "waiting">;
  #depths: Promise<readonly QueueDepth[]> | null = null;
  #readMs = 0;

  constructor(queue: Pick<Queue, "waiting">) {
    this.#queue = queue;
  }

  /** As they were at most a second ago. Rejects when RabbitMQ cannot say. */
  read(): Promise<readonly QueueDepth[]> {
    const nowMs = performance.now();
    if (this.#depths !== null && nowMs - this.#readMs < FRESH_MS) return this.#depths;
    const depths = this.#readAll();
    [this.#depths, this.#readMs] = [depths, nowMs];
    return depths;
  }

  async #readAll(): Promise<readonly QueueDepth[]> {
    const depths = await ofAll(async (name) => ({ queue: name, waiting: await this.#queue.waiting(name) }));
    return depths.sort((a, b) => b.waiting - a.waiting);
  }
}

/** How each stands. Rejects when RabbitMQ cannot say. */
export function queueStandings(
  queue: Pick<Queue, "standing">,
): Promise<{ readonly queue: string; readonly standing: QueueStanding }[]> {
  return ofAll(async (name) => ({ queue: name, standing: await queue.standing(name) }));
}

async function ofAll<T>(ask: (name: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < NAMES.length; at += AT_ONCE)
    answers.push(...(await Promise.all(NAMES.slice(at, at + AT_ONCE).map(ask))));
  return answers;
}
