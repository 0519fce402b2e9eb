/**
 * How one message is brought to the relay.
 *
 *     sending ──taken──▶ handed
 *      ▲ │ └──refused──▶ refused for good
 *      └─┘ not taken, or nobody knows: again, later and later, ten times in all, then refused for now
 *
 * Where nobody knows whether the relay took it, it is sent again: a mailbox knows the repeat by its Message-ID, and a loss
 * by nothing. Pure: the caller sends, waits and reports.
 */
import type { Refusal } from "@tidings/agent";
import { backOffMs } from "@tidings/runtime";
import type { SendOutcome } from "./relay.ts";

const RETRY = { firstMs: 2_000, maxMs: 120_000 };
const MOST_TRIES = 10;

export type Step =
  | { readonly does: "send"; readonly afterMs: number; readonly tries: number }
  | { readonly does: "hand" }
  | { readonly does: "refuse"; readonly refusal: Refusal };

export const FIRST_STEP = { does: "send", afterMs: 0, tries: 0 } as const satisfies Step;

/** What to do after a message was sent for the time `tries` + 1, with `outcome`; `random` is in [0, 1). */
export function nextStep(tries: number, outcome: SendOutcome, random: number): Step {
  switch (outcome.kind) {
    case "taken":
      return { does: "hand" };
    case "refused":
      return { does: "refuse", refusal: outcome.refusal };
    case "notTaken":
      return tries + 1 < MOST_TRIES
        ? { does: "send", afterMs: backOffMs(tries + 1, RETRY, random), tries: tries + 1 }
        : { does: "refuse", refusal: AWAY };
  }
}

const AWAY: Refusal = {
  condition: "remote-server-timeout",
  mayRetry: true,
  text: "The mail relay did not take the message for now; it is tried again later.",
};
