/** RabbitMQ as Tidings uses it: quorum queues, confirmed publishing, nothing requeued in a loop. */
export interface Queue {
  /**
   * Publishes `body` (JSON text) persistent and mandatory on the named queue; resolves when RabbitMQ has confirmed it.
   * Waits while the connection is down or blocked; the same message may then arrive twice. Rejects with `RefusedError`
   * when the queue is full or absent (try again later), and with `QueueStoppedError` after `stop`. The number of
   * unconfirmed messages is bounded: past it, `publish` waits.
   */
  publish(queue: string, body: string): Promise<void>;

  /**
   * Consumes the named queue; at most `prefetch` deliveries are unacknowledged at a time. After a lost connection or
   * channel it consumes again, and settling a delivery of the old channel does nothing (RabbitMQ delivers it again).
   */
  consume(queue: string, prefetch: number, handler: (delivery: Delivery) => void): Promise<Consumer>;

  /**
   * How many consumers the named classic queue has, this client's among them. Rejects when RabbitMQ cannot say; for a quorum
   * queue it may say how many messages are out instead (rabbitmq-server#16185, mended in 2026).
   */
  consumers(queue: string): Promise<number>;

  /** How many messages of the named queue wait for a consumer. Rejects when RabbitMQ cannot say. */
  waiting(queue: string): Promise<number>;

  /**
   * Whether the named queue is there as Tidings declares it: `different` has other arguments (a bound that an operator changed),
   * and is used as it is. Changes nothing. Rejects when RabbitMQ cannot say.
   */
  standing(queue: string): Promise<QueueStanding>;

  /** Asks through RabbitMQ's direct reply-to; resolves with the answer's body. Rejects with `RefusedError` or `NoAnswerError`. */
  request(queue: string, body: string, timeoutMs: number): Promise<string>;

  /** True while RabbitMQ asks publishers to pause (memory or disk alarm), or while there is no connection. */
  readonly isBlocked: boolean;

  /** Cancels the consumers, waits for outstanding confirms (at most 5 s), closes. May be called twice. */
  stop(): Promise<void>;
}

export type QueueStanding = "as declared" | "different" | "missing";

export interface Delivery {
  readonly body: string;
  readonly redelivered: boolean;
  /** The work is durable: RabbitMQ may forget the message. */
  ack(): void;
  /** The work failed for a passing reason (shutting down, shard given away): RabbitMQ delivers it again, elsewhere. */
  giveBack(): void;
  /** It can never be worked on: it goes to the dead-letter queue, where it can be looked at. */
  deadLetter(): void;
  /** Answers a request that came by `request`, and acknowledges it. */
  reply(body: string): void;
}

export interface Consumer {
  /** Stops consuming; unacknowledged deliveries go back to the queue. */
  cancel(): Promise<void>;
}
