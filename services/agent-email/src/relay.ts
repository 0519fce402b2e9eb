/**
 * The mail relay (smart host), over SMTP. What matters of an answer is whether the message was taken:
 *
 *     250 after the end of DATA                taken
 *     5xx                                      refused, and a later try changes nothing
 *     4xx, no connection, a break, silence     not taken, or nobody knows: the same message may be sent again
 *
 * STARTTLS is used where it is offered, and a certificate that does not fit ends the connection. A password goes over
 * TLS only, unless the relay is this machine.
 */

import type { SendOutcome } from "@tidings/agent";
import { createTransport, type Transporter } from "nodemailer";
import type { PlainMail } from "./mail.ts";
import { OUR_FAULT, refusalFor, statusIn } from "./mail-refusals.ts";

/** Sessions with the relay at a time. */
export const MAX_SESSIONS = 5;
const MESSAGES_OF_SESSION = 100;
const CONNECT_MS = 10_000;
/** RFC 5321 §4.5.3.2.6 wants ten minutes after the end of DATA; who waits less may send a message twice. */
const SILENCE_MS = 600_000;

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Steps of a session before any message is named: what fails in them concerns the installation, not the recipient. */
const BEFORE_MAIL = /^(CONN|EHLO|HELO|STARTTLS|AUTH)/;

/** What carries mail. */
export interface MailRelay {
  /** Resolves in any case. */
  send(mail: PlainMail): Promise<SendOutcome>;
}

export interface RelayOptions {
  /** `smtp://` or `smtps://`, with user and password if the relay wants them. */
  readonly url: string;
  /** What this installation calls itself in EHLO. */
  readonly name: string;
  /** How long the relay may be silent (milliseconds); for tests. */
  readonly silenceMs?: number;
}

export class SmtpRelay implements MailRelay {
  readonly #transport: Transporter;

  /** Throws TypeError when the URL is none. Connects when something is sent. */
  constructor({ url, name, silenceMs = SILENCE_MS }: RelayOptions) {
    const { protocol, hostname, port, username, password } = new URL(url);
    const isSecure = protocol === "smtps:";
    const user = decodeURIComponent(username);
    const pass = decodeURIComponent(password);
    this.#transport = createTransport({
      pool: true,
      maxConnections: MAX_SESSIONS,
      maxMessages: MESSAGES_OF_SESSION,
      // Whether to send again is decided, and counted, by the carrier.
      maxRequeues: 0,
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? (isSecure ? 465 : 587) : Number(port),
      secure: isSecure,
      name,
      ...(user === "" ? {} : { auth: { user, pass }, requireTLS: !isSecure && !LOOPBACK.has(hostname) }),
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: silenceMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: PlainMail): Promise<SendOutcome> {
    try {
      await this.#transport.sendMail(mail);
      return { kind: "taken" };
    } catch (error) {
      return outcomeOf(error as Failure);
    }
  }

  /** Ends all sessions. */
  close(): void {
    this.#transport.close();
  }
}

interface Failure extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
}

/**
 * The relay did not take a message. It is made anew from what the client rejects with: a server's words may hold the
 * address, which is not for the log.
 */
export class RelayError extends Error {
  override readonly name = "RelayError";
  readonly code: string | undefined;
  readonly step: string | undefined;
  readonly replyCode: number | undefined;
  readonly status: string | null;

  constructor({ message, code, command, response, responseCode }: Failure) {
    super(responseCode === undefined ? message : `the relay answered ${responseCode}`);
    this.code = code;
    this.step = command;
    this.replyCode = responseCode;
    this.status = statusIn((response ?? "").replace(/^\d{3}[ -]/, ""));
  }
}

function outcomeOf(failure: Failure): SendOutcome {
  const error = new RelayError(failure);
  const { replyCode, status, step = "", code } = error;
  if (replyCode === undefined) {
    // The client itself found something in the envelope or in the message that no server would take.
    const isUnsendable = code === "EENVELOPE" || code === "EMESSAGE";
    return isUnsendable ? { kind: "refused", refusal: refusalFor(null) } : { kind: "notTaken", error };
  }
  if (replyCode < 500) return { kind: "notTaken", error };
  const refusal = BEFORE_MAIL.test(step) ? { ...OUR_FAULT, mayRetry: false } : refusalFor(status, replyCode);
  return { kind: "refused", refusal };
}
