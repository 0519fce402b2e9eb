/** Mail for addresses of this agent, which ingest-email has taken: each is acknowledged when what it says is in the ledger. */
import { AnswerMail, MalformedError, parseAs, QUEUES } from "@tidings/protocol";
import type { Delivery, Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import type { Agent } from "./agent.ts";

const AT_A_TIME = 5;
/** Before mail that could not be dealt with now is given back: its user's avatar does not answer (milliseconds). */
const PAUSE_MS = 5_000;

export interface MailQueueMeans {
  readonly queue: Pick<Queue, "consume">;
  readonly agent: Pick<Agent, "heard">;
  readonly log: Log;
  readonly pause?: (ms: number) => Promise<void>;
}

/** Takes mail; resolves to the function that ends it. */
export async function hearMail(means: MailQueueMeans): Promise<() => Promise<void>> {
  const consumer = await means.queue.consume(QUEUES.mail, AT_A_TIME, (mail) => void hear(mail, means));
  return () => consumer.cancel();
}

/** Resolves in any case. */
async function hear(delivery: Delivery, { agent, log, pause = sleep }: MailQueueMeans): Promise<void> {
  try {
    const { recipient, raw } = parseAs(AnswerMail, delivery.body, "mail that came in");
    await agent.heard(Buffer.from(raw, "base64"), recipient);
    delivery.ack();
  } catch (error) {
    if (error instanceof MalformedError) {
      log.error({ err: error }, "mail that came in is malformed, kept as a dead letter");
      delivery.deadLetter();
      return;
    }
    log.warn({ err: error }, "mail that came in has to wait: its user's avatar cannot be asked");
    await pause(PAUSE_MS);
    delivery.giveBack();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
