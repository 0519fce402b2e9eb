/**
 * The way of one host through its ownership of one shard, as a pure state machine.
 *
 *     take ──▶ open ──▶ claim ──▶ ready ──▶ serving ──asked to release──▶ checkpoint ──▶ pause ──▶ drain ──▶ seal ──▶ clear ──▶ unclaim ──▶ over
 *      └─▶ over  └─▶ clear └──┴──▶ abandon ──▶ clear                                                └──┴──▶ abandon
 *
 *     take        the lease, with the next epoch: liveness only
 *     open        fence the journal and replay it: from here on writes of lower epochs are void
 *     claim       the router lets nothing pass any more that an older owner says
 *     ready       the router hands over what it has spooled
 *     checkpoint  while still serving, so that the successor has little to replay
 *     pause       takes nothing more; what comes is not acknowledged and comes again to the successor
 *     drain       what was taken becomes durable, and its effects leave: the claim is still held
 *     seal        the record `release` in the journal
 *     clear       the lease is free: another host may take the shard
 *     unclaim     the router spools until it does
 *     abandon     close at once: what is not in the journal never happened, and its effects never leave
 *
 * A writer that finds itself deposed, in whichever step, ends its process: that has no arrow here because nothing follows it.
 */
export type TenureStep =
  | "take"
  | "open"
  | "claim"
  | "ready"
  | "serving"
  | "checkpoint"
  | "pause"
  | "drain"
  | "seal"
  | "clear"
  | "unclaim"
  | "abandon"
  | "over";

interface Arrows {
  readonly done: TenureStep;
  readonly failed: TenureStep;
}

const ARROWS: Readonly<Record<Exclude<TenureStep, "over">, Arrows>> = {
  take: { done: "open", failed: "over" },
  open: { done: "claim", failed: "clear" },
  claim: { done: "ready", failed: "abandon" },
  ready: { done: "serving", failed: "abandon" },
  serving: { done: "checkpoint", failed: "abandon" },
  checkpoint: { done: "pause", failed: "pause" },
  pause: { done: "drain", failed: "abandon" },
  drain: { done: "seal", failed: "abandon" },
  seal: { done: "clear", failed: "abandon" },
  abandon: { done: "clear", failed: "clear" },
  clear: { done: "unclaim", failed: "unclaim" },
  unclaim: { done: "over", failed: "over" },
};

/** The step that follows `step`; a serving owner stays until it is asked to release, which is its `done`. */
export function nextStep(step: TenureStep, outcome: "done" | "failed"): TenureStep {
  return step === "over" ? "over" : ARROWS[step][outcome];
}

/** Where a tenure comes to rest until something is asked of it. */
export function isAtRest(step: TenureStep): boolean {
  return step === "serving" || step === "over";
}
