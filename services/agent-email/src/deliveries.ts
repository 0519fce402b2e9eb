/** Carries dispatches out by mail, and says what became of them. */
import {
  type CourierMeans,
  type LedgerEntry,
  PatientCarrier,
  type Refusal,
  type SendOutcome,
} from "@tidings/agent";
import { mailAddress } from "@tidings/mail";
import { type Mail, mailOf, type Sender } from "./mail.ts";
import { isOurFault } from "./mail-refusals.ts";
import { MAX_SESSIONS, type MailRelay } from "./relay.ts";

/** Mail systems try for five days before they say that they could not deliver (RFC 5321 §4.5.4.1). */
const KEPT_MS = 7 * 24 * 3_600_000;

export interface DeliveryMeans extends CourierMeans {
  readonly relay: MailRelay;
  readonly sender: Sender;
}

/** The carrier for mail. */
export function mailCarrier(means: DeliveryMeans): PatientCarrier {
  const send = (mail: Mail) => sendBy(means, mail);
  return new PatientCarrier(
    { ...means, keptMs: KEPT_MS },
    {
      atATime: MAX_SESSIONS,
      away: AWAY,
      prepare: (dispatch, entry: LedgerEntry) => {
        const address = mailAddress(dispatch.address);
        if (address === null) return NO_ADDRESS;
        return () => send(mailOf(dispatch, address, entry, means.sender));
      },
    },
  );
}

async function sendBy({ relay, log }: DeliveryMeans, mail: Mail): Promise<SendOutcome> {
  const outcome = await relay.send(mail);
  if (outcome.kind === "refused" && isOurFault(outcome.refusal))
    log.error({ reason: outcome.refusal.text }, "the relay refuses this installation");
  return outcome;
}

const NO_ADDRESS: Refusal = {
  condition: "jid-malformed",
  mayRetry: false,
  text: "This is not an e-mail address; one looks like alice@example.org.",
};

const AWAY: Refusal = {
  condition: "remote-server-timeout",
  mayRetry: true,
  text: "The mail relay did not take the message for now; it is tried again later.",
};
