/**
 * A stand-in for RabbitMQ in one process, for unit tests. It keeps the promises of {@link Queue}: order, prefetch, single
 * active consumer on shard queues, delivery limit, dead letters, refusal of what is absent or full. Nothing survives it.
 */
import { QUEUES } from "@tidings/protocol";
import { NoAnswerError, QueueStoppedError, RefusedError } from "./errors.ts";
import { MemoryLine } from "./memory-line.ts";
import type { Consumer, Delivery, Queue, QueueStanding } from "./queue.ts";
import { keepsDeadLetters, queueOptions } from "./topology.ts";

/** What several clients share; each `connect` is one client. */
export class MemoryBroker {
  readonly #lines = new Map<string, MemoryLine>();
  readonly #maxLength: number | undefined;

  constructor(settings: { readonly maxLength?: number } = {}) {
    this.#maxLength = settings.maxLength;
  }

  connect(): Queue {
    return new MemoryQueue(this);
  }

  /** The queue `name`, declared at first use; null when Tidings has no such queue. */
  line(name: string): MemoryLine | null {
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const options = queueOptions(name, this.#maxLength);
    if (options === null) return null;
    const limits = options.arguments ?? {};
    const line = new MemoryLine({
      maxLength: Number(limits["x-max-length"]),
      deliveryLimit: Number(limits["x-delivery-limit"] ?? Number.POSITIVE_INFINITY),
      isSingleConsumer: limits["x-single-active-consumer"] === true,
      deadLetter: (body) => this.#bury(name, body),
    });
    this.#lines.set(name, line);
    return line;
  }

  #bury(from: string, body: string): void {
    if (keepsDeadLetters(from)) this.line(QUEUES.dead)?.add({ body, answer: null });
  }
}

class MemoryQueue implements Queue {
  readonly isBlocked = false;
  readonly #broker: MemoryBroker;
  readonly #consumers = new Set<Consumer>();
  readonly #rejectQuestions = new Set<(error: Error) => void>();
  #isStopped = false;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
  }

  async publish(queue: string, body: string): Promise<void> {
    this.#add(queue, body, null);
  }

  async consume(queue: string, prefetch: number, handler: (delivery: Delivery) => void): Promise<Consumer> {
    if (this.#isStopped) throw new QueueStoppedError();
    const line = this.#broker.line(queue);
    if (line === null) throw new RefusedError(queue, "there is no such queue");
    const consumer = line.consume(prefetch, handler);
    this.#consumers.add(consumer);
    return consumer;
  }

  async consumers(queue: string): Promise<number> {
    return this.#broker.line(queue)?.consumers ?? 0;
  }

  async waiting(queue: string): Promise<number> {
    return this.#broker.line(queue)?.waiting ?? 0;
  }

  async standing(queue: string): Promise<QueueStanding> {
    return this.#broker.line(queue) === null ? "missing" : "as declared";
  }

  async request(queue: string, body: string, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => reject(new NoAnswerError(queue, timeoutMs)), timeoutMs);
    this.#rejectQuestions.add(reject);
    try {
      this.#add(queue, body, resolve);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#rejectQuestions.delete(reject);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const reject of this.#rejectQuestions) reject(new QueueStoppedError());
    await Promise.all([...this.#consumers].map((consumer) => consumer.cancel()));
  }

  #add(queue: string, body: string, answer: ((body: string) => void) | null): void {
    if (this.#isStopped) throw new QueueStoppedError();
    const line = this.#broker.line(queue);
    if (line === null) throw new RefusedError(queue, "there is no such queue");
    if (!line.add({ body, answer })) throw new RefusedError(queue, "it is full");
  }
}
