/** "What is at this address?", asked of the ingestors through the queue. */
import { canonicalFeedUrl, FeedAddressError, LookupAnswer, parseAs, QUEUES } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import { Problem, unavailable } from "./problem.ts";

/** A little more than an ingestor gives a slow site. */
const LOOKUP_TIMEOUT_MS = 40_000;

/** The canonical spelling of what was typed. Throws Problem 422 with the sentence for the person. */
export function feedAddress(typed: string): string {
  try {
    return canonicalFeedUrl(typed);
  } catch (cause) {
    if (cause instanceof FeedAddressError) throw new Problem(422, cause.message, { cause });
    throw cause;
  }
}

/** What an ingestor found at the canonical `url`. Rejects with Problem 503 when none answers. */
export async function lookUp(queue: Pick<Queue, "request">, url: string): Promise<LookupAnswer> {
  try {
    const answer = await queue.request(QUEUES.lookup, JSON.stringify({ url }), LOOKUP_TIMEOUT_MS);
    return parseAs(LookupAnswer, answer, "answer to a look-up");
  } catch (cause) {
    throw unavailable(cause);
  }
}
