import type { Log } from "@tidings/runtime";
import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { AckLine } from "./ack-line.ts";
import { closeChannel, unlessClosed } from "./close-channel.ts";
import type { Declarations } from "./declarations.ts";
import { LastingChannel } from "./lasting-channel.ts";
import type { Link } from "./link.ts";
import type { Consumer, Delivery } from "./queue.ts";
import { noteWait, publishedAtOf, watchOldest } from "./queue-age.ts";

/** How an answer leaves: reply address, correlation id, body. */
export type Answer = (replyTo: string, correlationId: string, body: string) => void;

export interface SubscriptionTerms {
  readonly queue: string;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => void;
  readonly answer: Answer;
}

/** One consumer on a channel of its own, so that neither its prefetch nor its errors touch another's. */
export class Subscription implements Consumer {
  readonly #terms: SubscriptionTerms;
  readonly #declarations: Declarations;
  readonly #log: Log;
  readonly #lasting: LastingChannel;
  readonly #started = Promise.withResolvers<void>();
  #consumerTag: string | undefined;
  #acks: AckLine | null = null;
  readonly #unwatch: () => void;

  constructor(link: Link, declarations: Declarations, terms: SubscriptionTerms, log: Log) {
    this.#terms = terms;
    this.#declarations = declarations;
    this.#log = log.child({ queue: terms.queue });
    this.#unwatch = watchOldest(terms.queue, () => this.#acks?.oldestAt ?? null);
    this.#lasting = new LastingChannel(
      link,
      { setUp: (channel) => this.#setUp(channel), opened: () => this.#started.resolve() },
      this.#log,
    );
  }

  /** Resolves when RabbitMQ delivers for the first time. */
  started(): Promise<void> {
    return this.#started.promise;
  }

  /** Asks for no more deliveries; those handed out can still be settled. */
  async pause(): Promise<void> {
    const channel = this.#lasting.current;
    if (channel === null || this.#consumerTag === undefined) return;
    try {
      await channel.cancel(this.#consumerTag);
    } catch (error) {
      this.#log.debug({ err: error }, "consumer was gone already");
    }
  }

  /** See `Consumer.cancel`. May be called twice. */
  async cancel(): Promise<void> {
    this.#started.resolve();
    this.#unwatch();
    this.#acks?.flush();
    await this.#lasting.close();
  }

  async #setUp(channel: ConfirmChannel): Promise<void> {
    const { queue, prefetch } = this.#terms;
    await this.#declarations.ensure(queue);
    await channel.prefetch(prefetch);
    const acks = new AckLine((tag, multiple) => unlessClosed(() => sendAck(channel, tag, multiple)));
    this.#acks = acks;
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message === null) this.#cancelledByServer(channel);
      else this.#deliver(new AmqpDelivery(channel, acks, message, this.#terms.answer));
      if (message !== null) noteWait(queue, message);
    });
    this.#consumerTag = consumerTag;
  }

  #deliver(delivery: AmqpDelivery): void {
    try {
      this.#terms.handler(delivery);
    } catch (error) {
      this.#log.error({ err: error }, "handler of a delivery failed");
      delivery.deadLetter();
    }
  }

  /** The queue was deleted, or its leader moved: a fresh channel declares it again and consumes. */
  #cancelledByServer(channel: ConfirmChannel): void {
    this.#log.warn("consumer was cancelled by the server");
    this.#declarations.forget(this.#terms.queue);
    void closeChannel(channel, this.#log);
  }
}

/** Settles once, and only on the channel that it came from: on a closed one settling does nothing. */
class AmqpDelivery implements Delivery {
  readonly body: string;
  readonly redelivered: boolean;
  readonly #channel: ConfirmChannel;
  readonly #acks: AckLine;
  readonly #message: ConsumeMessage;
  readonly #answer: Answer;
  #isSettled = false;

  constructor(channel: ConfirmChannel, acks: AckLine, message: ConsumeMessage, answer: Answer) {
    this.body = message.content.toString("utf8");
    this.redelivered = message.fields.redelivered;
    this.#channel = channel;
    this.#acks = acks;
    this.#message = message;
    this.#answer = answer;
    acks.delivered(message.fields.deliveryTag, publishedAtOf(message));
  }

  ack(): void {
    this.#settle(() => this.#acks.ack(this.#message.fields.deliveryTag));
  }

  giveBack(): void {
    this.#settle(() => this.#reject(true));
  }

  deadLetter(): void {
    this.#settle(() => this.#reject(false));
  }

  reply(body: string): void {
    const { replyTo, correlationId } = this.#message.properties;
    if (typeof replyTo === "string" && !this.#isSettled) this.#answer(replyTo, String(correlationId), body);
    this.ack();
  }

  #reject(mayComeAgain: boolean): void {
    this.#acks.forget(this.#message.fields.deliveryTag);
    unlessClosed(() => this.#channel.nack(this.#message, false, mayComeAgain));
  }

  #settle(how: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    how();
  }
}

/** amqplib takes a message where the protocol has a tag, and reads nothing else of it. */
function sendAck(channel: ConfirmChannel, deliveryTag: number, multiple: boolean): void {
  channel.ack({ fields: { deliveryTag } } as ConsumeMessage, multiple);
}
