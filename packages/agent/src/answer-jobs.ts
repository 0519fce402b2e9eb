/**
 * Carries answers of users to whoever asked: a job from the queue is one attempt, whose result goes to the shard of the
 * source, which decides whether there is another one. The job is acknowledged after RabbitMQ has confirmed the result.
 */
import {
  CallbackJob,
  type CallbackResult,
  MalformedError,
  parseAs,
  QUEUES,
  shardOf,
} from "@tidings/protocol";
import type { Delivery, Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";

/** Jobs in work at a time. */
const AT_A_TIME = 20;

/** What became of one attempt; `sentence` is for people: what happened, and what to do. */
export type AnswerOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "again"; readonly sentence: string; readonly retryAfterMs: number | null }
  | { readonly kind: "refused"; readonly sentence: string };

export interface AnswerMeans {
  readonly queue: Pick<Queue, "consume" | "publish">;
  /** Never rejects. */
  readonly carry: (job: CallbackJob) => Promise<AnswerOutcome>;
  readonly log: Log;
}

/** Takes the jobs of the queue `name`; resolves to the function that ends it. */
export async function carryAnswers(name: string, means: AnswerMeans): Promise<() => Promise<void>> {
  const consumer = await means.queue.consume(name, AT_A_TIME, (job) => void work(job, means));
  return () => consumer.cancel();
}

/** Resolves in any case. */
async function work(delivery: Delivery, { queue, carry, log }: AnswerMeans): Promise<void> {
  try {
    const job = parseAs(CallbackJob, delivery.body, "answer to be carried");
    const result = resultOf(job, await carry(job));
    await queue.publish(QUEUES.shard(job.silo, shardOf(job.source)), JSON.stringify(result));
    delivery.ack();
    log.info({ source: job.source, answer: job.answer, outcome: result.outcome }, "an answer was carried");
  } catch (error) {
    if (error instanceof MalformedError) {
      log.error({ err: error }, "an answer to be carried is malformed, kept as a dead letter");
      delivery.deadLetter();
      return;
    }
    // The source puts the job on the queue again when it hears nothing of it.
    log.warn({ err: error }, "what became of an answer was not published");
    delivery.giveBack();
  }
}

function resultOf({ job, source, answer }: CallbackJob, outcome: AnswerOutcome): CallbackResult {
  const about = { callback: job, source, answer, retryAfterMs: null };
  if (outcome.kind === "taken") return { ...about, outcome: "delivered", sentence: "" };
  const { sentence } = outcome;
  return outcome.kind === "again"
    ? { ...about, outcome: "again", sentence, retryAfterMs: outcome.retryAfterMs }
    : { ...about, outcome: "refused", sentence };
}
