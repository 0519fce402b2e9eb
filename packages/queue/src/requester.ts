import { randomUUID } from "node:crypto";
import type { Log } from "@tidings/runtime";
import type { ConfirmChannel, ConsumeMessage, Message } from "amqplib";
import { unlessClosed } from "./close-channel.ts";
import type { Declarations } from "./declarations.ts";
import { NoAnswerError, QueueStoppedError, RefusedError } from "./errors.ts";
import { LastingChannel } from "./lasting-channel.ts";
import type { Link } from "./link.ts";

/** RabbitMQ's pseudo-queue: answers come back on the channel that asked ("Direct Reply-to"). */
const REPLY_TO = "amq.rabbitmq.reply-to";
const MAX_QUESTIONS = 1_000;

interface Question {
  readonly queue: string;
  readonly content: Buffer;
  /** On the own monotonic clock (milliseconds). */
  readonly untilMs: number;
  readonly resolve: (body: string) => void;
  readonly reject: (error: Error) => void;
}

/** Asks and hears the answers. After a lost channel the open questions are asked again. */
export class Requester {
  readonly #declarations: Declarations;
  readonly #log: Log;
  readonly #lasting: LastingChannel;
  /** By correlation id. */
  readonly #questions = new Map<string, Question>();

  constructor(link: Link, declarations: Declarations, log: Log) {
    this.#declarations = declarations;
    this.#log = log;
    this.#lasting = new LastingChannel(
      link,
      { setUp: (channel) => this.#listen(channel), opened: () => this.#askAll() },
      log,
    );
  }

  /** See `Queue.request`. */
  async request(queue: string, body: string, timeoutMs: number): Promise<string> {
    if (this.#questions.size >= MAX_QUESTIONS)
      throw new RefusedError(queue, `${MAX_QUESTIONS} questions are open`);
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => reject(new NoAnswerError(queue, timeoutMs)), timeoutMs);
    this.#questions.set(id, {
      queue,
      content: Buffer.from(body),
      untilMs: performance.now() + timeoutMs,
      resolve,
      reject,
    });
    void this.#ask(id);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#questions.delete(id);
    }
  }

  async stop(): Promise<void> {
    for (const question of this.#questions.values()) question.reject(new QueueStoppedError());
    await this.#lasting.close();
  }

  async #listen(channel: ConfirmChannel): Promise<void> {
    channel.on("return", (message) => this.#returned(message));
    await channel.consume(REPLY_TO, (message) => this.#answered(message), { noAck: true });
  }

  #askAll(): void {
    for (const id of this.#questions.keys()) void this.#ask(id);
  }

  async #ask(id: string): Promise<void> {
    const question = this.#questions.get(id);
    if (question === undefined || this.#lasting.current === null) return;
    try {
      await this.#declarations.ensure(question.queue);
      if (this.#lasting.current !== null) this.#send(this.#lasting.current, id, question);
    } catch (error) {
      this.#log.warn({ err: error, queue: question.queue }, "question could not be asked");
    }
  }

  #send(channel: ConfirmChannel, id: string, question: Question): void {
    // RabbitMQ closes the channel when it is no whole number.
    const expiration = Math.max(1, Math.ceil(question.untilMs - performance.now()));
    const options = { mandatory: true, replyTo: REPLY_TO, correlationId: id, expiration };
    const confirmed = (error: unknown) => {
      if (isNack(error)) question.reject(new RefusedError(question.queue, "it is full or not available"));
    };
    unlessClosed(() => channel.publish("", question.queue, question.content, options, confirmed));
  }

  #answered(message: ConsumeMessage | null): void {
    if (message === null) return;
    this.#questions.get(String(message.properties.correlationId))?.resolve(message.content.toString("utf8"));
  }

  #returned(message: Message): void {
    const question = this.#questions.get(String(message.properties.correlationId));
    if (question === undefined) return;
    this.#declarations.forget(question.queue);
    question.reject(new RefusedError(question.queue, "there is no such queue"));
  }
}

/** amqplib tells a nack from a lost channel by its words alone. */
function isNack(error: unknown): boolean {
  return error instanceof Error && error.message === "message nacked";
}
