/**
 * Publishing with confirms.
 *
 *     publish ─▶ waiting ──room, queue declared, channel open──▶ sent ──ack──▶ resolved
 *                   ▲                                             │ └──nack, or returned──▶ RefusedError
 *                   └─────────────────channel lost────────────────┘
 *
 * Messages are sent in the order of the calls, and again in that order after a break. Invariant: at most `maxUnconfirmed`
 * messages and MAX_UNCONFIRMED_BYTES are sent and not yet confirmed.
 */
import type { Log } from "@tidings/runtime";
import type { ConfirmChannel, Message } from "amqplib";
import { unlessClosed } from "./close-channel.ts";
import type { Declarations } from "./declarations.ts";
import { QueueStoppedError, RefusedError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import { LastingChannel } from "./lasting-channel.ts";
import type { Link } from "./link.ts";
import { publishedNow } from "./queue-age.ts";

const MAX_UNCONFIRMED_BYTES = 32 * 1024 * 1024;
/** One message larger than this would make RabbitMQ close the channel, again and again. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

interface Outgoing {
  readonly queue: string;
  readonly content: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  isReturned: boolean;
}

export class Publisher {
  readonly #link: Link;
  readonly #declarations: Declarations;
  readonly #log: Log;
  readonly #maxUnconfirmed: number;
  readonly #lasting: LastingChannel;
  readonly #waiting = new Fifo<Outgoing>();
  /** By delivery tag, in the order of sending. */
  readonly #sent = new Map<number, Outgoing>();
  #sentBytes = 0;
  #lastTag = 0;
  #isDeclaring = false;
  #isStopped = false;
  #settledAll: () => void = () => undefined;

  constructor(link: Link, declarations: Declarations, maxUnconfirmed: number, log: Log) {
    this.#link = link;
    this.#declarations = declarations;
    this.#maxUnconfirmed = maxUnconfirmed;
    this.#log = log;
    this.#lasting = new LastingChannel(
      link,
      {
        setUp: async (channel) => this.#listen(channel),
        opened: () => this.#pump(),
        lost: () => this.#takeBack(),
      },
      log,
    );
  }

  /** See `Queue.publish`. */
  publish(queue: string, body: string): Promise<void> {
    if (this.#isStopped) return Promise.reject(new QueueStoppedError());
    const content = Buffer.from(body);
    if (content.length > MAX_MESSAGE_BYTES) {
      return Promise.reject(
        new RefusedError(queue, `${content.length} bytes are more than ${MAX_MESSAGE_BYTES}`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ queue, content, resolve, reject, isReturned: false });
    this.#pump();
    return promise;
  }

  /** Sends an answer to the asker's reply address; who is gone by now has stopped waiting for it. */
  answer(replyTo: string, correlationId: string, body: string): void {
    const channel = this.#lasting.current;
    if (channel === null) {
      this.#log.debug("no channel for an answer");
      return;
    }
    this.#lastTag += 1;
    unlessClosed(() => channel.publish("", replyTo, Buffer.from(body), { correlationId }));
  }

  /** Rejects what was not sent, waits at most `deadlineMs` for what was, and closes the channel. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    for (const message of this.#waiting.drain()) message.reject(new QueueStoppedError());
    if (this.#sent.size > 0) await this.#settled(deadlineMs);
    this.#takeBack();
    for (const message of this.#waiting.drain()) message.reject(new QueueStoppedError());
    await this.#lasting.close();
  }

  #listen(channel: ConfirmChannel): void {
    this.#lastTag = 0;
    channel.on("ack", ({ deliveryTag, multiple }) => this.#confirm(deliveryTag, multiple, true));
    channel.on("nack", ({ deliveryTag, multiple }) => this.#confirm(deliveryTag, multiple, false));
    channel.on("return", (message) => this.#returned(message));
  }

  #pump(): void {
    let message = this.#waiting.peek();
    while (message !== undefined && this.#hasRoom() && !this.#link.isBlocked) {
      const channel = this.#lasting.current;
      if (channel === null || this.#isDeclaring) return;
      if (!this.#declarations.isReady(message.queue)) {
        void this.#declare(message);
        return;
      }
      this.#waiting.shift();
      this.#send(channel, message);
      message = this.#waiting.peek();
    }
  }

  #hasRoom(): boolean {
    return this.#sent.size < this.#maxUnconfirmed && this.#sentBytes < MAX_UNCONFIRMED_BYTES;
  }

  #send(channel: ConfirmChannel, message: Outgoing): void {
    this.#lastTag += 1;
    this.#sent.set(this.#lastTag, message);
    this.#sentBytes += message.content.length;
    const messageId = String(this.#lastTag);
    const options = { persistent: true, mandatory: true, messageId, headers: publishedNow() };
    unlessClosed(() => channel.publish("", message.queue, message.content, options));
  }

  async #declare(message: Outgoing): Promise<void> {
    this.#isDeclaring = true;
    try {
      await this.#declarations.ensure(message.queue);
    } catch (error) {
      this.#log.warn({ err: error, queue: message.queue }, "queue cannot be declared");
      if (this.#link.connection !== null) this.#refuseHead(message, error);
    } finally {
      this.#isDeclaring = false;
    }
    this.#pump();
  }

  #refuseHead(message: Outgoing, cause: unknown): void {
    if (this.#waiting.peek() !== message) return;
    this.#waiting.shift();
    message.reject(new RefusedError(message.queue, "it cannot be declared", { cause }));
  }

  /** RabbitMQ returns an unroutable message before it confirms it. */
  #returned(returned: Message): void {
    const message = this.#sent.get(Number(returned.properties.messageId));
    if (message === undefined) return;
    message.isReturned = true;
    this.#declarations.forget(message.queue);
  }

  #confirm(upTo: number, multiple: boolean, isTaken: boolean): void {
    if (!multiple) this.#settle(upTo, isTaken);
    else {
      for (const tag of this.#sent.keys()) {
        if (tag > upTo) break;
        this.#settle(tag, isTaken);
      }
    }
    if (this.#sent.size === 0 && this.#waiting.size === 0) this.#settledAll();
    this.#pump();
  }

  #settle(tag: number, isTaken: boolean): void {
    const message = this.#sent.get(tag);
    if (message === undefined) return;
    this.#sent.delete(tag);
    this.#sentBytes -= message.content.length;
    if (message.isReturned) message.reject(new RefusedError(message.queue, "there is no such queue"));
    else if (isTaken) message.resolve();
    else message.reject(new RefusedError(message.queue, "it is full or not available"));
  }

  /** The channel is gone: what it did not confirm is sent again, before everything else. */
  #takeBack(): void {
    this.#waiting.unshift([...this.#sent.values()]);
    this.#sent.clear();
    this.#sentBytes = 0;
  }

  async #settled(deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settledAll = resolve;
    const timer = setTimeout(resolve, deadlineMs);
    await promise;
    clearTimeout(timer);
  }
}
