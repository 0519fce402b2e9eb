/** What the provider's refusals mean for the user; its codes are at https://www.twilio.com/docs/api/errors. */
import type { Refusal } from "@tidings/agent";

interface Meaning {
  readonly condition: string;
  readonly text: string;
}

const NO_PHONE: Meaning = {
  condition: "item-not-found",
  text: "The provider knows no phone of this number that takes messages; check the number.",
};
const NO_WAY: Meaning = {
  condition: "not-allowed",
  text: "The provider does not send to this number's country or network for this installation; its operator has to allow it there.",
};
const STOPPED: Meaning = {
  condition: "policy-violation",
  text: "The owner of this number has sent STOP. Send START from it to get messages again.",
};
const FILTERED: Meaning = {
  condition: "policy-violation",
  text: "The network took the message for advertising and did not deliver it.",
};
const UNREACHABLE: Meaning = {
  condition: "recipient-unavailable",
  text: "The phone could not be reached: it is switched off or out of range, or cannot take messages.",
};
const OUR_FAULT: Meaning = {
  condition: "not-authorized",
  text: "The provider does not take this installation's credentials or sender; its operator has to check the TWILIO settings.",
};

/** The code for a number whose owner has sent STOP to the provider. */
const STOPPED_CODE = 21_610;

const MEANINGS: Readonly<Record<number, Meaning>> = {
  20003: OUR_FAULT,
  20404: OUR_FAULT,
  21211: NO_PHONE,
  21214: NO_PHONE,
  21217: NO_PHONE,
  21408: NO_WAY,
  21603: OUR_FAULT,
  21606: OUR_FAULT,
  21609: {
    condition: "not-authorized",
    text: "The provider cannot call this installation back; its operator has to check TIDINGS_SMS_CALLBACK_URL.",
  },
  [STOPPED_CODE]: STOPPED,
  21612: NO_WAY,
  21614: NO_PHONE,
  30003: UNREACHABLE,
  30004: {
    condition: "policy-violation",
    text: "The phone or its network blocks messages from this sender.",
  },
  30005: NO_PHONE,
  30006: { condition: "not-acceptable", text: "This number is a landline or cannot be reached by messages." },
  30007: FILTERED,
  30008: UNREACHABLE,
};

export interface ProviderRefusal {
  readonly refusal: Refusal;
  /** The owner of the number wants no messages. */
  readonly isStopped: boolean;
  /** Nothing will be sent until the operator has changed a setting. */
  readonly isOurFault: boolean;
}

/** What it means that the provider refused with its `code`; NaN when it gave none. A later try helps in no case. */
export function refusalFor(code: number, httpStatus: number | null = null): ProviderRefusal {
  const isOurs = httpStatus === 401 || httpStatus === 403;
  const { condition, text } = MEANINGS[code] ?? (isOurs ? OUR_FAULT : unheardOf(code));
  return {
    refusal: { condition, mayRetry: false, text },
    isStopped: code === STOPPED_CODE,
    isOurFault: condition === "not-authorized",
  };
}

function unheardOf(code: number): Meaning {
  const which = Number.isInteger(code) && code > 0 ? ` (its error ${code})` : "";
  return { condition: "undefined-condition", text: `The provider could not deliver the message${which}.` };
}
