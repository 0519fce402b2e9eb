/** RabbitMQ did not take the message: the queue is full or absent. Worth another try later. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly queue: string;

  constructor(queue: string, why: string, options?: ErrorOptions) {
    super(`${queue} refused a message: ${why}`, options);
    this.queue = queue;
  }
}

/** A request got no answer in its time. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";

  constructor(queue: string, timeoutMs: number) {
    super(`no answer from ${queue} within ${timeoutMs} ms`);
  }
}

/** The queue was stopped; whether the message arrived is unknown. */
export class QueueStoppedError extends Error {
  override readonly name = "QueueStoppedError";

  constructor() {
    super("the queue is stopped");
  }
}
