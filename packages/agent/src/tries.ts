/**
 * How one message is brought to a server that may be away.
 *
 *     sending ──taken──▶ handed
 *      ▲ │ └──refused──▶ refused for good
 *      └─┘ not taken, or nobody knows: again, later and later, ten times in all, then refused for now
 *
 * Where nobody knows whether the server took it, it is sent again: who receives it knows the repeat by its id, and a loss by
 * nothing. Pure: the caller sends, waits and reports.
 */
import { backOffMs } from "@tidings/runtime";
import type { Refusal } from "./delivery-memory.ts";

const RETRY = { firstMs: 2_000, maxMs: 120_000 };
const MOST_TRIES = 10;
/** A server that wants to be left alone for longer has it again when the avatar says so. */
const LONGEST_WAIT_MS = 600_000;

export type SendOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** `afterMs`: when the server wants to be asked again. */
  | { readonly kind: "notTaken"; readonly error: Error; readonly afterMs?: number | null };

export type Step =
  | { readonly does: "send"; readonly afterMs: number; readonly tries: number }
  | { readonly does: "hand" }
  | { readonly does: "refuse"; readonly refusal: Refusal };

export const FIRST_STEP = { does: "send", afterMs: 0, tries: 0 } as const satisfies Step;

/**
 * What to do after a message was sent for the time `tries` + 1, with `outcome`; `away` is said when it was not taken ten times.
 * `random` is in [0, 1).
 */
export function nextStep(tries: number, outcome: SendOutcome, away: Refusal, random: number): Step {
  if (outcome.kind === "taken") return { does: "hand" };
  if (outcome.kind === "refused") return { does: "refuse", refusal: outcome.refusal };
  const afterMs = Math.max(backOffMs(tries + 1, RETRY, random), outcome.afterMs ?? 0);
  if (tries + 1 >= MOST_TRIES || afterMs > LONGEST_WAIT_MS) return { does: "refuse", refusal: away };
  return { does: "send", afterMs, tries: tries + 1 };
}
