/**
 * The SMTP server for inbound mail: it takes what is for an address of ours, and 250 means that it is on disk.
 *
 *     connection ──rate──▶ RCPT ──is there such an address?──▶ DATA ──size, line ends──▶ read ──▶ queues, confirmed ──▶ 250
 */
import { once } from "node:events";
import type { SourceStandings } from "@tidings/ingest";
import { mailSource } from "@tidings/protocol";
import { counter } from "@tidings/runtime";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { type IntakeMeans, takeMail } from "./intake.ts";
import { hasBareLineEnd } from "./line-ends.ts";
import { type Recipient, recipientOf } from "./recipient.ts";
import { laterPlease, SmtpRefusal } from "./refusal.ts";
import type { Envelope } from "./sender-check.ts";

export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
const MAX_CONNECTIONS = 200;
const MAX_RECIPIENTS = 50;
/** Messages that are held in memory at a time; who is above waits for the sender's patience. */
const MAX_IN_HAND = 20;
/** RFC 5321 §4.5.3.2.7 gives a sender five minutes; a slow one holds a connection for less here (milliseconds). */
const SILENCE_MS = 120_000;
/** Addresses that there are not, of one client. */
const STRANGE_PER_MINUTE = 30;

const MAILS = counter("tidings_mails_total", "Mails, by the code that they were answered with.", ["code"]);
const RECIPIENTS = counter(
  "tidings_mail_recipients_refused_total",
  "Addresses that were refused, by the code.",
  ["code"],
);

export interface ServerMeans extends IntakeMeans {
  readonly standings: Pick<SourceStandings, "of">;
  /** Messages of one client that are taken in a minute. */
  readonly perMinute: number;
  /** PEM texts for STARTTLS; null: it is not offered. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** The server, not listening yet. */
export function smtpServer(means: ServerMeans): SMTPServer {
  const { log, mailDomain, tls } = means;
  const door = new Door(means);
  const server = new SMTPServer({
    name: mailDomain,
    banner: "Tidings",
    size: MAX_MESSAGE_BYTES,
    rejectOversized: true,
    disabledCommands: ["AUTH", ...(tls === null ? ["STARTTLS"] : [])],
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    maxClients: MAX_CONNECTIONS,
    socketTimeout: SILENCE_MS,
    closeTimeout: 5_000,
    ...(tls ?? {}),
    onRcptTo: (address, session, callback) => {
      door.recipient(address.address, session).then(
        () => callback(),
        (error) => {
          RECIPIENTS.inc({ code: codeOf(error) });
          callback(error);
        },
      );
    },
    onData: (stream, session, callback) => {
      door.message(stream, session).then(
        (said) => {
          MAILS.inc({ code: "250" });
          callback(null, said);
        },
        (error) => {
          MAILS.inc({ code: codeOf(error) });
          callback(error);
        },
      );
    },
  });
  server.on("error", (error) => log.info({ err: error }, "a connection of a mail sender broke"));
  return server;
}

/** Resolves when `server` listens. Rejects when the port cannot be had. */
export async function listen({ server }: SMTPServer, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, "listening");
}

/** smtp-server answers 450 for what is no refusal of ours. */
function codeOf(error: unknown): string {
  return error instanceof SmtpRefusal ? String(error.responseCode) : "450";
}

/** Lets mail in, or says why not. */
class Door {
  readonly #means: ServerMeans;
  readonly #messages: RateLimiterMemory;
  readonly #strange = new RateLimiterMemory({
    points: STRANGE_PER_MINUTE,
    duration: 60,
    keyPrefix: "strange",
  });
  #inHand = 0;

  constructor(means: ServerMeans) {
    this.#means = means;
    this.#messages = new RateLimiterMemory({ points: means.perMinute, duration: 60, keyPrefix: "mail" });
  }

  /** Resolves when there is such an address. */
  async recipient(address: string, session: SMTPServerSession): Promise<void> {
    if (session.envelope.rcptTo.length >= MAX_RECIPIENTS)
      throw new SmtpRefusal(452, "4.5.3", `A message goes to at most ${MAX_RECIPIENTS} addresses here.`);
    const recipient = recipientOf(address, this.#means.mailDomain);
    if (recipient === null) {
      await this.#count(this.#strange, session);
      throw new SmtpRefusal(550, "5.1.1", "There is no such address here, and nothing is relayed.");
    }
    if (recipient.kind === "inbox") await this.#inbox(recipient.local, session);
  }

  async #inbox(local: string, session: SMTPServerSession): Promise<void> {
    const standing = await this.#means.standings.of(mailSource(local)).catch((cause: unknown) => {
      throw laterPlease(cause);
    });
    if (standing === "open") return;
    await this.#count(this.#strange, session);
    if (standing === "ended")
      throw new SmtpRefusal(550, "5.2.1", "The owner of this address has ended it; ask for another one.");
    throw new SmtpRefusal(550, "5.1.1", "There is no such address here, and nothing is relayed.");
  }

  /** Resolves when the message is on disk. */
  async message(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    this.#inHand++;
    try {
      const raw = await this.#whole(stream);
      await this.#count(this.#messages, session);
      if (stream.sizeExceeded)
        throw new SmtpRefusal(
          552,
          "5.3.4",
          `A message has at most ${MAX_MESSAGE_BYTES / 1_048_576} MB here.`,
        );
      if (hasBareLineEnd(raw))
        throw new SmtpRefusal(
          550,
          "5.6.11",
          "Lines end in CR LF (RFC 5321 §2.3.8); this message has others.",
        );
      await this.#take(raw, session);
      return "2.0.0 It is on disk, and will be told";
    } finally {
      this.#inHand--;
    }
  }

  async #take(raw: Buffer, session: SMTPServerSession): Promise<void> {
    const { mailDomain, log } = this.#means;
    const recipients = session.envelope.rcptTo
      .map(({ address }) => recipientOf(address, mailDomain))
      .filter((one): one is Recipient => one !== null);
    try {
      await takeMail(raw, recipients, envelopeOf(session), this.#means);
    } catch (error) {
      if (error instanceof SmtpRefusal) throw error;
      log.warn({ err: error }, "mail was not taken: a queue is full or away");
      throw laterPlease(error);
    }
  }

  /** All of it, as far as it is taken; the rest is read and dropped, since the sender speaks on until its end. */
  async #whole(stream: SMTPServerDataStream): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const isTooMuch = this.#inHand > MAX_IN_HAND;
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (!isTooMuch && bytes <= MAX_MESSAGE_BYTES) chunks.push(chunk);
    }
    if (isTooMuch) throw laterPlease(new Error(`${this.#inHand} messages are in hand`));
    return Buffer.concat(chunks);
  }

  async #count(limiter: RateLimiterMemory, { remoteAddress }: SMTPServerSession): Promise<void> {
    const isFine = await limiter.consume(remoteAddress).then(
      () => true,
      () => false,
    );
    if (!isFine) throw new SmtpRefusal(421, "4.7.0", "That was too often; try again in a minute.");
  }
}

function envelopeOf({ remoteAddress, hostNameAppearsAs, envelope }: SMTPServerSession): Envelope {
  const sender = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
  return { ip: remoteAddress, helo: hostNameAppearsAs || "", sender };
}
