import type { AnswerAddress } from "@tidings/mail";
import { cleanLine, ITEM_LIMITS } from "@tidings/protocol";
import type { ParsedMail } from "mailparser";

/**
 * Where an answer to the mail goes, if it really is of `from`; null when nobody would read it there.
 *
 * Reply-To counts within the domain of From alone: whoever vouches for that one says nothing of others.
 */
export function answerTo(parsed: ParsedMail, from: string): Omit<AnswerAddress, "from"> | null {
  const wanted = soleAddress(parsed.replyTo);
  const to = wanted !== "" && domainOf(wanted) === domainOf(from) ? wanted : from;
  if (to === "" || NO_ANSWER.test(to)) return null;
  const subject = cleanLine(parsed.subject ?? "", ITEM_LIMITS.title);
  return {
    to,
    subject: /^(re|aw|sv|antw)\s*:/i.test(subject) ? subject : `Re: ${subject}`,
    inReplyTo: parsed.messageId ?? null,
  };
}

/** Nobody reads what is sent there, and says so. */
const NO_ANSWER = /^(no|do-?not|never)[-_.]?reply|^mailer-daemon@|^bounces?[@+-]/i;

/** The address in the header field `field`; empty when there is none, or more than one. */
export function soleAddress(field: ParsedMail["from"]): string {
  const [only, ...others] = field?.value ?? [];
  return others.length === 0 ? (only?.address ?? "") : "";
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
