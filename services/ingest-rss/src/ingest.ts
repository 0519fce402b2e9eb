import { setTimeout as sleep } from "node:timers/promises";
import { QUEUES } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import type { DocumentReader } from "./document-reader.ts";
import type { Fetcher } from "./fetch.ts";
import { answerLookup } from "./lookup.ts";
import { workOnPoll } from "./poll.ts";

const LOOKUPS_AT_A_TIME = 10;
/** How long a job whose result was refused is kept before it is given back (milliseconds). */
const REFUSED_PAUSE_MS = 5_000;

export interface IngestParts {
  readonly queue: Queue;
  readonly fetcher: Fetcher;
  readonly reader: DocumentReader;
  readonly log: Log;
}

/** Takes poll jobs, at most `concurrency` at a time, and look-ups; resolves, when both come in, to the function that ends it. */
export async function ingest(
  { queue, fetcher, reader, log }: IngestParts,
  concurrency: number,
): Promise<() => Promise<void>> {
  const tools = { fetch: fetcher.fetch, read: reader.read.bind(reader), log };
  const publish = queue.publish.bind(queue);
  const pollTools = { ...tools, publish, now: Date.now, pause: () => sleep(REFUSED_PAUSE_MS) };
  const polls = await queue.consume(QUEUES.poll, concurrency, (job) => void workOnPoll(job, pollTools));
  const lookups = await queue.consume(
    QUEUES.lookup,
    LOOKUPS_AT_A_TIME,
    (asked) => void answerLookup(asked, tools),
  );
  return async () => {
    await Promise.all([polls.cancel(), lookups.cancel()]);
  };
}
