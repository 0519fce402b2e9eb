import type { Log } from "@tidings/runtime";
import { Declarations } from "./declarations.ts";
import { QueueStoppedError } from "./errors.ts";
import { Link } from "./link.ts";
import { Publisher } from "./publisher.ts";
import type { Consumer, Delivery, Queue, QueueStanding } from "./queue.ts";
import { Requester } from "./requester.ts";
import { Subscription } from "./subscription.ts";

const MAX_UNCONFIRMED = 1_000;
const CONFIRM_DEADLINE_MS = 5_000;
const CLOSE_DEADLINE_MS = 2_000;

export interface QueueSettings {
  /** `amqp://…` or `amqps://…` */
  readonly url: string;
  readonly log: Log;
  /** Most messages sent and not yet confirmed (default 1,000). */
  readonly maxUnconfirmed?: number;
  /** Most messages in a poll or shard queue (default 100,000); all who use one RabbitMQ must agree. */
  readonly maxLength?: number;
}

/**
 * Connects to RabbitMQ; resolves when connected for the first time, however long that takes. Rejects only when `url` is no
 * AMQP address. Publishing and consuming have a connection each, because an alarm makes RabbitMQ stop reading from
 * connections that publish, and the acknowledgements that would end the alarm must still come through.
 */
export async function connectQueue(settings: QueueSettings): Promise<Queue> {
  const [outLink, inLink] = await Promise.all([
    Link.connect(settings.url, settings.log.child({ connection: "publish" })),
    Link.connect(settings.url, settings.log.child({ connection: "consume" })),
  ]);
  return new AmqpQueue(outLink, inLink, settings);
}

class AmqpQueue implements Queue {
  readonly #outLink: Link;
  readonly #inLink: Link;
  readonly #inDeclarations: Declarations;
  readonly #publisher: Publisher;
  readonly #requester: Requester;
  readonly #log: Log;
  readonly #subscriptions = new Set<Subscription>();
  #stopping: Promise<void> | undefined;

  constructor(
    outLink: Link,
    inLink: Link,
    { log, maxUnconfirmed = MAX_UNCONFIRMED, maxLength }: QueueSettings,
  ) {
    const outDeclarations = new Declarations(outLink, log, maxLength);
    this.#outLink = outLink;
    this.#inLink = inLink;
    this.#inDeclarations = new Declarations(inLink, log, maxLength);
    this.#publisher = new Publisher(outLink, outDeclarations, maxUnconfirmed, log);
    this.#requester = new Requester(outLink, outDeclarations, log);
    this.#log = log;
  }

  get isBlocked(): boolean {
    return this.#outLink.isBlocked || this.#inLink.connection === null;
  }

  publish(queue: string, body: string): Promise<void> {
    return this.#publisher.publish(queue, body);
  }

  async consume(queue: string, prefetch: number, handler: (delivery: Delivery) => void): Promise<Consumer> {
    if (this.#stopping !== undefined) throw new QueueStoppedError();
    const answer = this.#publisher.answer.bind(this.#publisher);
    const terms = { queue, prefetch, handler, answer };
    const subscription = new Subscription(this.#inLink, this.#inDeclarations, terms, this.#log);
    this.#subscriptions.add(subscription);
    await subscription.started();
    return {
      cancel: async () => {
        this.#subscriptions.delete(subscription);
        await subscription.cancel();
      },
    };
  }

  consumers(queue: string): Promise<number> {
    return this.#inDeclarations.consumers(queue);
  }

  waiting(queue: string): Promise<number> {
    return this.#inDeclarations.waiting(queue);
  }

  standing(queue: string): Promise<QueueStanding> {
    return this.#inDeclarations.standing(queue);
  }

  async request(queue: string, body: string, timeoutMs: number): Promise<string> {
    if (this.#stopping !== undefined) throw new QueueStoppedError();
    return this.#requester.request(queue, body, timeoutMs);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** While confirms are awaited, deliveries in hand can still be settled. */
  async #stop(): Promise<void> {
    await atMost(
      CLOSE_DEADLINE_MS,
      Promise.all([...this.#subscriptions].map((subscription) => subscription.pause())),
    );
    await atMost(CONFIRM_DEADLINE_MS + CLOSE_DEADLINE_MS, this.#publisher.stop(CONFIRM_DEADLINE_MS));
    await atMost(CLOSE_DEADLINE_MS, this.#closeChannels());
    await atMost(CLOSE_DEADLINE_MS, Promise.all([this.#inLink.stop(), this.#outLink.stop()]));
  }

  async #closeChannels(): Promise<void> {
    await Promise.all([
      this.#requester.stop(),
      ...[...this.#subscriptions].map((subscription) => subscription.cancel()),
    ]);
  }
}

/** Resolves with `work`, or after `deadlineMs`: a dead peer must not keep the process from ending. */
async function atMost(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, deadlineMs);
  await Promise.race([work, late]);
  clearTimeout(timer);
}
