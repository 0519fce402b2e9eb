/**
 * How one message is brought to the provider.
 *
 *     sending ──taken──▶ handed
 *      ▲ │ ├──refused──▶ refused
 *      └─┘ │   not taken: again, later and later, six times in all, then refused
 *          └──nobody knows──▶ looking ──found──▶ handed
 *                              ▲ │
 *                              └─┘ not there: again, six times in all, then refused
 *
 * Invariant: after `unknown` nothing is sent any more. The provider knows no id of ours that would make a second request
 * harmless, and a message that comes twice costs twice. Every refusal is for good, so that the user's next destination
 * takes over. Pure: the caller sends, looks, waits and reports.
 */
import type { Refusal } from "@tidings/agent";
import { backOffMs } from "@tidings/runtime";
import type { SendOutcome } from "./provider.ts";

const RETRY = { firstMs: 1_000, maxMs: 15_000 };
const MOST_TRIES = 6;
/** The first look is late enough for what was under way to have arrived. */
const LOOK = { firstMs: 4_000, maxMs: 30_000 };
const MOST_LOOKS = 6;

export type Stage =
  | { readonly at: "sending"; readonly tries: number }
  | { readonly at: "looking"; readonly looks: number };

export type Finding =
  | SendOutcome
  | { readonly kind: "found"; readonly sid: string }
  | { readonly kind: "notFound" };

export type Step =
  | { readonly does: "send" | "look"; readonly afterMs: number; readonly stage: Stage }
  | { readonly does: "hand"; readonly sid: string }
  | { readonly does: "refuse"; readonly refusal: Refusal };

/** The first step of a message that no life of the agent has begun to send. */
export const FIRST_STEP: Step = { does: "send", afterMs: 0, stage: { at: "sending", tries: 0 } };
/** The first step of one that an earlier life of the agent may have sent. */
export const FIRST_LOOK: Step = { does: "look", afterMs: 0, stage: { at: "looking", looks: 0 } };

/** What to do after `finding`; `random` is in [0, 1). */
export function nextStep(stage: Stage, finding: Finding, random: number): Step {
  switch (finding.kind) {
    case "taken":
    case "found":
      return { does: "hand", sid: finding.sid };
    case "refused":
      return { does: "refuse", refusal: finding.refusal };
    case "notTaken":
      return tryAgain(stage, random);
    case "unknown":
    case "notFound":
      return look(stage.at === "looking" ? stage.looks + 1 : 0, random);
  }
}

function tryAgain(stage: Stage, random: number): Step {
  const tries = stage.at === "sending" ? stage.tries + 1 : MOST_TRIES;
  if (tries >= MOST_TRIES)
    return refuse("remote-server-not-found", "The provider of text messages could not be reached.");
  return { does: "send", afterMs: backOffMs(tries, RETRY, random), stage: { at: "sending", tries } };
}

function look(looks: number, random: number): Step {
  if (looks >= MOST_LOOKS)
    return refuse(
      "remote-server-timeout",
      "The provider did not say whether it took the message; it is not sent again, so that it cannot come twice.",
    );
  return { does: "look", afterMs: backOffMs(looks + 1, LOOK, random), stage: { at: "looking", looks } };
}

function refuse(condition: string, text: string): Step {
  return { does: "refuse", refusal: { condition, mayRetry: false, text } };
}
