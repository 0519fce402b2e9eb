import type { Log } from "@tidings/runtime";
import type { Channel, Options } from "amqplib";
import { closeChannel } from "./close-channel.ts";
import type { Link } from "./link.ts";
import type { QueueStanding } from "./queue.ts";
import { queueOptions } from "./topology.ts";

const PRECONDITION_FAILED = 406;
const NOT_FOUND = 404;

/**
 * Declares queues when they are first used, so that it does not matter which side comes first. What was declared is
 * remembered for as long as the process lives; `forget` makes the next use declare again.
 */
export class Declarations {
  readonly #link: Link;
  readonly #log: Log;
  readonly #maxLength: number | undefined;
  readonly #declared = new Map<string, Promise<void>>();
  readonly #ready = new Set<string>();

  constructor(link: Link, log: Log, maxLength: number | undefined) {
    this.#link = link;
    this.#log = log;
    this.#maxLength = maxLength;
  }

  /** Whether `queue` needs no declaring: it was declared, or Tidings has no such queue. */
  isReady(queue: string): boolean {
    return this.#ready.has(queue) || queueOptions(queue, this.#maxLength) === null;
  }

  /** Resolves when `queue` and its dead-letter queue exist. Rejects when RabbitMQ says no or the connection is lost. */
  ensure(queue: string): Promise<void> {
    const known = this.#declared.get(queue);
    if (known !== undefined) return known;
    const declaring = this.#declareWithTarget(queue);
    this.#declared.set(queue, declaring);
    declaring.then(
      () => this.#ready.add(queue),
      () => this.#declared.delete(queue),
    );
    return declaring;
  }

  /** How many consumers `queue` has. Rejects when there is no connection. */
  async consumers(queue: string): Promise<number> {
    await this.ensure(queue);
    return (await this.#onOwnChannel((channel) => channel.checkQueue(queue))).consumerCount;
  }

  /** How many messages wait in `queue`: none where nobody has declared it yet. Rejects when there is no connection. */
  async waiting(queue: string): Promise<number> {
    try {
      return (await this.#onOwnChannel((channel) => channel.checkQueue(queue))).messageCount;
    } catch (error) {
      if (isCode(error, NOT_FOUND)) return 0;
      throw error;
    }
  }

  /** See `Queue.standing`. */
  async standing(queue: string): Promise<QueueStanding> {
    const options = queueOptions(queue, this.#maxLength);
    try {
      await this.#onOwnChannel((channel) => channel.checkQueue(queue));
      // Declaring what is there compares it.
      if (options !== null) await this.#onOwnChannel((channel) => channel.assertQueue(queue, options));
      return "as declared";
    } catch (error) {
      if (isCode(error, NOT_FOUND)) return "missing";
      if (isCode(error, PRECONDITION_FAILED)) return "different";
      throw error;
    }
  }

  /** `queue` was found to be gone. */
  forget(queue: string): void {
    this.#declared.delete(queue);
    this.#ready.delete(queue);
  }

  async #declareWithTarget(queue: string): Promise<void> {
    const options = queueOptions(queue, this.#maxLength);
    if (options === null) return;
    const target = options.arguments?.["x-dead-letter-routing-key"];
    if (typeof target === "string") await this.ensure(target);
    await this.#declare(queue, options);
  }

  /** A queue that exists with other arguments (an operator changed a bound) is used as it is. */
  async #declare(queue: string, options: Options.AssertQueue): Promise<void> {
    try {
      await this.#onOwnChannel((channel) => channel.assertQueue(queue, options));
    } catch (error) {
      if (!isCode(error, PRECONDITION_FAILED)) throw error;
      this.#log.warn({ err: error, queue }, "queue exists with other arguments");
      await this.#onOwnChannel((channel) => channel.checkQueue(queue));
    }
  }

  /** RabbitMQ closes the channel of a refused declaration, so none is shared with messages. */
  async #onOwnChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    if (this.#link.connection === null) throw new Error("no connection to RabbitMQ");
    const channel = await this.#link.connection.createChannel();
    channel.on("error", (error) => this.#log.debug({ err: error }, "declaring failed"));
    const used = await use(channel);
    void closeChannel(channel, this.#log);
    return used;
  }
}

/** Whether RabbitMQ has answered with this reply code (AMQP 0-9-1, "Reply Codes"). */
function isCode(error: unknown, code: number): boolean {
  return (error as { code?: unknown }).code === code;
}
