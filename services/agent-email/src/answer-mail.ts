/**
 * Sends what a user answers to a mail that came to their inbox, to whoever wrote it, in the thread of that mail and from the
 * address of the inbox: what is answered to it, and its bounce, come there again.
 *
 * An answer that the relay has taken is in the ledger, so the job for it that comes twice is sent once. Who dies between the
 * two sends it again, under the same Message-ID.
 */
import { type AnswerOutcome, carryAnswers, type DeliveryLedger } from "@tidings/agent";
import { type AnswerAddress, readAnswerUrl } from "@tidings/mail";
import { type CallbackJob, QUEUES } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import type { PlainMail } from "./mail.ts";
import { isOurFault } from "./mail-refusals.ts";
import type { MailRelay } from "./relay.ts";

export interface AnswerMailMeans {
  readonly relay: MailRelay;
  readonly ledger: Pick<DeliveryLedger, "hasDeed" | "noteDeed">;
  readonly mailDomain: string;
  readonly log: Log;
}

/** Carries such jobs out; resolves to the function that ends it. */
export function answerByMail(
  means: AnswerMailMeans & { readonly queue: Pick<Queue, "consume" | "publish"> },
): Promise<() => Promise<void>> {
  const { queue, log } = means;
  return carryAnswers(QUEUES.answerMail, { queue, carry: (job) => mailAnswer(job, means), log });
}

/** Carries one job out. Resolves in any case. */
export async function mailAnswer(job: CallbackJob, means: AnswerMailMeans): Promise<AnswerOutcome> {
  const { relay, ledger, mailDomain, log } = means;
  const address = readAnswerUrl(job.url);
  const text = textIn(job.body);
  if (address === null || text === null) return UNREADABLE;
  const deed = `answer ${job.answer}`;
  if (ledger.hasDeed(deed)) return { kind: "taken" };
  const outcome = await relay.send(messageFor(job, address, text, mailDomain));
  if (outcome.kind === "taken") {
    ledger.noteDeed(deed, null, Date.now());
    return outcome;
  }
  if (outcome.kind === "notTaken") {
    log.warn({ err: outcome.error }, "the relay did not take an answer for now");
    return AWAY;
  }
  if (isOurFault(outcome.refusal))
    log.error({ reason: outcome.refusal.text }, "the relay refuses this installation");
  return { kind: "refused", sentence: outcome.refusal.text ?? NOT_WANTED };
}

function messageFor(
  { answer }: CallbackJob,
  { to, from, subject, inReplyTo }: AnswerAddress,
  text: string,
  mailDomain: string,
): PlainMail {
  return {
    envelope: { from, to },
    from,
    to: { name: "", address: to },
    subject,
    text: `${text}\n`,
    messageId: `<${answer.replace(/[^\w.-]/g, "_")}@${mailDomain}>`,
    date: new Date(),
    headers: inReplyTo === null ? {} : { "In-Reply-To": inReplyTo, References: inReplyTo },
  };
}

/** The words of the answer; null when there are none. */
function textIn(body: string): string | null {
  try {
    const { data } = JSON.parse(body) as { data?: { text?: unknown } };
    return typeof data?.text === "string" && data.text.trim() !== "" ? data.text : null;
  } catch {
    return null;
  }
}

const UNREADABLE: AnswerOutcome = {
  kind: "refused",
  sentence: "There are no words to send, or nobody to send them to; answer with words of your own.",
};

const NOT_WANTED = "The mail system of the sender does not take the answer.";

const AWAY: AnswerOutcome = {
  kind: "again",
  sentence: "The mail relay did not take the answer for now; it is tried again later.",
  retryAfterMs: null,
};
