/** Puts mail on the queues of those it is for. What resolves is on disk in RabbitMQ: then, and only then, is it taken. */
import { randomUUID } from "node:crypto";
import { answerUrl } from "@tidings/mail";
import {
  ANSWER_MAIL_BYTES,
  type AnswerMail,
  FIRST_SILO,
  type MailSender,
  mailSource,
  type Publication,
  QUEUES,
  type ReplyOption,
  shardOf,
} from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import { itemFor, type ReadMail, readMail } from "./read-mail.ts";
import type { Recipient } from "./recipient.ts";
import { SmtpRefusal } from "./refusal.ts";
import type { Envelope, SenderChecker } from "./sender-check.ts";

/** RFC 5321 §6.3 wants at least 100; who counts this many is in a circle of ours. */
const MOST_HOPS = 50;

export interface IntakeMeans {
  readonly queue: Pick<Queue, "publish">;
  /** The domain of the inboxes. */
  readonly mailDomain: string;
  /** The domain in the List-Id of what agent-email sends. */
  readonly ownListDomain: string;
  readonly senders: Pick<SenderChecker, "check">;
  readonly log: Log;
}

/** Takes the message `raw`, which came in an SMTP session with `envelope`, for `recipients`. Rejects with {@link SmtpRefusal}, or with what the queue says. */
export async function takeMail(
  raw: Buffer,
  recipients: readonly Recipient[],
  envelope: Envelope,
  { queue, mailDomain, ownListDomain, senders, log }: IntakeMeans,
): Promise<void> {
  const inboxes = recipients.flatMap((one) => (one.kind === "inbox" ? [one.local] : []));
  const mail = inboxes.length === 0 ? null : await read(raw, ownListDomain);
  if (mail !== null && mail.hops > MOST_HOPS)
    throw new SmtpRefusal(554, "5.4.6", "This message goes in a circle; look at who forwards to whom.");
  if (mail?.isOwn)
    log.info("a message of Tidings itself came to an inbox, and was dropped: it would come for ever");
  const told = mail === null || mail.isOwn ? null : mail;
  const sender = told === null ? null : await senders.check(raw, told.from, envelope);
  const publications =
    told === null || sender === null
      ? []
      : inboxes.map((local) => publicationOf({ local, mail: told, sender, mailDomain }));
  const answers = recipients.flatMap((one) => (one.kind === "answer" ? [answerOf(one.address, raw)] : []));
  await Promise.all([
    ...publications.map((one) =>
      queue.publish(QUEUES.shard(FIRST_SILO, shardOf(one.source)), JSON.stringify(one)),
    ),
    ...answers.map((one) => queue.publish(QUEUES.mail, JSON.stringify(one))),
  ]);
  for (const { source, items } of publications)
    for (const { item } of items) log.debug({ trace: item.id, source }, "item is queued");
  if (recipients.some(({ kind }) => kind === "postmaster"))
    log.warn({ bytes: raw.length }, "mail came for the postmaster; nobody reads it here");
}

async function read(raw: Buffer, ownListDomain: string): Promise<ReadMail> {
  try {
    return await readMail(raw, { ownListDomain, nowAt: Date.now() });
  } catch (cause) {
    throw new SmtpRefusal(
      554,
      "5.6.0",
      "This message cannot be read; it is no mail in the form of RFC 5322.",
      {
        cause,
      },
    );
  }
}

/** A mail whose sender is proven can be answered: anybody could have us write to somebody else otherwise. */
function publicationOf({ local, mail, sender, mailDomain }: InboxMail): Publication {
  const source = mailSource(local);
  const { answer } = mail;
  const callback =
    answer === null || !sender.isProven ? null : answerUrl({ ...answer, from: `${local}@${mailDomain}` });
  const item = { ...itemFor(source, mail), sender, ...(callback === null ? {} : { options: [REPLY] }) };
  return { publication: randomUUID(), source, items: [{ item, dueAt: null, callback }] };
}

interface InboxMail {
  readonly local: string;
  readonly mail: ReadMail;
  readonly sender: MailSender;
  readonly mailDomain: string;
}

const REPLY: ReplyOption = { id: "reply", label: "Reply", input: true };

function answerOf(recipient: string, raw: Buffer): AnswerMail {
  return { recipient, raw: raw.subarray(0, ANSWER_MAIL_BYTES).toString("base64") };
}
