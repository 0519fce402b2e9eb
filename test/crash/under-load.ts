/** What the scenarios of one fault have in common: items are published all the time, and one thing goes wrong meanwhile. */
import { setTimeout as pause } from "node:timers/promises";
import { type Cast, gather, judge, type Load, publish } from "./cast.ts";
import type { Violation } from "./invariants.ts";
import type { Random } from "./random.ts";
import type { Stage } from "./stage.ts";

export interface UnderLoad extends Load {
  readonly feeds: number;
  /** From the first item until the harm begins: at most this, as the seed has it (milliseconds); default 2 s. */
  readonly untilHarmMs?: number;
  /** Longest time from the end of the harm until all is where it belongs; default as `judge` has it (milliseconds). */
  readonly settledWithinMs?: number;
}

const UNTIL_HARM_MS = 2_000;

/**
 * Gathers the people, publishes, does the `harm` and judges. `harm` must see for itself that its fault has struck, and reject
 * when it has not: a play without its fault proves nothing.
 */
export async function underLoad(
  stage: Stage,
  random: Random,
  { untilHarmMs = UNTIL_HARM_MS, settledWithinMs, feeds, ...load }: UnderLoad,
  harm: (cast: Cast) => Promise<void>,
): Promise<Violation[]> {
  const cast = await gather(stage, feeds);
  const harmed = pause(random.whole(0, untilHarmMs)).then(() => harm(cast));
  // Both are to end before anything is judged or cleared away, also when one fails.
  const [published, struck] = await Promise.allSettled([publish(cast.feeds, random, load), harmed]);
  if (struck.status === "rejected") throw struck.reason;
  if (published.status === "rejected") throw published.reason;
  await stage.recovers();
  return judge(stage, cast, settledWithinMs);
}
