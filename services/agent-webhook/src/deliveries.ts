/** Posts what is dispatched, signed as of Standard Webhooks, and says what became of it. */
import { type CourierMeans, PatientCarrier, type Refusal, type SendOutcome } from "@tidings/agent";
import type { Poster, PostOutcome } from "@tidings/outbound";
import { type Dispatch, messageId, signedHeaders } from "@tidings/protocol";
import { payloadOf } from "./payload.ts";

/** Posts under way at a time. */
const AT_A_TIME = 20;

export interface DeliveryMeans extends CourierMeans {
  readonly poster: Pick<Poster, "post">;
}

/** The carrier for webhooks. */
export function webhookCarrier(means: DeliveryMeans): PatientCarrier {
  return new PatientCarrier(means, {
    atATime: AT_A_TIME,
    away: AWAY,
    prepare: (dispatch) => {
      const { secret } = dispatch;
      return secret === undefined ? NO_SECRET : () => post(means.poster, dispatch, secret);
    },
  });
}

/** The id stays the same over all tries, so that a receiver can drop a repeat; the time and the signature are new. */
async function post(poster: Pick<Poster, "post">, dispatch: Dispatch, secret: string): Promise<SendOutcome> {
  const id = messageId(dispatch.notification.id, dispatch.wantedFrom);
  const body = JSON.stringify(payloadOf(dispatch));
  const headers = signedHeaders(secret, id, Date.now(), body);
  return outcomeOf(await poster.post({ url: dispatch.address, headers, body }));
}

/** A URL that is gone, or may not be asked, is used no more; another refusal is of this one message. */
function outcomeOf(outcome: PostOutcome): SendOutcome {
  switch (outcome.kind) {
    case "taken":
      return { kind: "taken" };
    case "again":
      return { kind: "notTaken", error: new Error(outcome.sentence), afterMs: outcome.retryAfterMs };
    case "refused": {
      const isNone = outcome.status === 410 || outcome.status === null;
      const condition = isNone ? "gone" : "not-acceptable";
      return { kind: "refused", refusal: { condition, mayRetry: false, text: outcome.sentence } };
    }
  }
}

const NO_SECRET: Refusal = {
  condition: "not-acceptable",
  mayRetry: false,
  text: "This webhook has no secret to sign with; remove it and add it again.",
};

const AWAY: Refusal = {
  condition: "remote-server-timeout",
  mayRetry: true,
  text: "The webhook's server did not take the message for now; it is tried again later.",
};
