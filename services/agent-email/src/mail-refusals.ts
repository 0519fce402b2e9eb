/** What it means that a mail system did not take a message: its enhanced status code (RFC 3463), or its reply code alone. */
import type { Refusal } from "@tidings/agent";

interface Meaning {
  readonly condition: string;
  readonly text: string;
}

const NO_MAILBOX: Meaning = {
  condition: "item-not-found",
  text: "The mail system of this address knows no such mailbox; check the address.",
};
const NO_DOMAIN: Meaning = {
  condition: "remote-server-not-found",
  text: "The mail system of this address could not be reached; check what stands behind the @.",
};
const CLOSED: Meaning = {
  condition: "recipient-unavailable",
  text: "The mailbox of this address takes no messages; ask who runs it.",
};
const FULL: Meaning = {
  condition: "resource-constraint",
  text: "The mailbox of this address is full; make room in it.",
};
const TOO_LARGE: Meaning = {
  condition: "not-acceptable",
  text: "The mail system of this address does not take a message of this size or kind.",
};
const UNWANTED: Meaning = {
  condition: "policy-violation",
  text: "The mail system of this address does not want the message; allow its sender there.",
};
/** Only the operator can mend it. */
export const OUR_FAULT: Meaning = {
  condition: "not-authorized",
  text: "The mail relay does not take this installation's messages; its operator has to check TIDINGS_SMTP_RELAY and TIDINGS_MAIL_FROM.",
};

/** By subject and detail of the status; the longest that fits counts. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  "1": NO_MAILBOX,
  "1.2": NO_DOMAIN,
  "1.7": OUR_FAULT,
  "1.8": OUR_FAULT,
  "1.10": NO_DOMAIN,
  "2": CLOSED,
  "2.2": FULL,
  "2.3": TOO_LARGE,
  "3.4": TOO_LARGE,
  "4": NO_DOMAIN,
  "6": TOO_LARGE,
  "7": UNWANTED,
  "7.8": OUR_FAULT,
};

/** RFC 5321 §4.2.3, where a server gives no enhanced status. */
const BY_REPLY: Readonly<Record<number, Meaning>> = {
  550: NO_MAILBOX,
  551: NO_MAILBOX,
  552: FULL,
  553: NO_MAILBOX,
};

/** An enhanced status code at the beginning of `text`, such as `5.1.1`; null when there is none. */
export function statusIn(text: string): string | null {
  return /^\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)/.exec(text)?.[1] ?? null;
}

/** The refusal that `status`, or else the reply code, stands for. A status of class 4 may be tried again later. */
export function refusalFor(status: string | null, replyCode: number | null = null): Refusal {
  const mayRetry = status === null ? (replyCode ?? 500) < 500 : status.startsWith("4");
  const { condition, text } = meaningOf(status, replyCode);
  return { condition, mayRetry, text };
}

/** Whether nothing will be sent until the operator has changed a setting. */
export function isOurFault({ condition }: Refusal): boolean {
  return condition === OUR_FAULT.condition;
}

function meaningOf(status: string | null, replyCode: number | null): Meaning {
  const [, subject = "", detail = ""] = status?.split(".") ?? [];
  if (replyCode === 530 || replyCode === 535) return OUR_FAULT;
  const meaning = MEANINGS[`${subject}.${detail}`] ?? MEANINGS[subject];
  return meaning ?? BY_REPLY[replyCode ?? 0] ?? unheardOf(status ?? replyCode);
}

function unheardOf(code: string | number | null): Meaning {
  const which = code === null ? "" : ` (it said ${code})`;
  return {
    condition: "undefined-condition",
    text: `The mail system of this address did not take the message${which}.`,
  };
}
