import { setTimeout as sleep } from "node:timers/promises";
import { type HubJob, QUEUES } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import { askHub, type HubMeans } from "./ask-hub.ts";
import type { DocumentReader } from "./document-reader.ts";
import type { Fetcher } from "./fetch.ts";
import { answerLookup } from "./lookup.ts";
import { workOnPoll } from "./poll.ts";
import { PollParts } from "./poll-parts.ts";
import { Refusals } from "./refusals.ts";

const LOOKUPS_AT_A_TIME = 10;

export interface IngestParts {
  readonly queue: Queue;
  readonly fetcher: Fetcher;
  readonly reader: DocumentReader;
  /** Null: hubs are not asked. */
  readonly hubs: HubMeans | null;
  readonly log: Log;
}

/** Takes poll jobs, at most `concurrency` of each part at a time, and look-ups; resolves, when both come in, to the function that ends it. */
export async function ingest(
  { queue, fetcher, reader, hubs, log }: IngestParts,
  concurrency: number,
): Promise<() => Promise<void>> {
  const tools = { fetch: fetcher.fetch, read: reader.read.bind(reader), log };
  const refusals = new Refusals();
  const publish = async (name: string, body: string) => {
    await queue.publish(name, body);
    refusals.end();
  };
  const pollTools = {
    ...tools,
    askHub: async (job: HubJob) => {
      if (hubs !== null) await askHub(job, hubs);
    },
    publish,
    now: Date.now,
    pause: () => sleep(refusals.next()),
  };
  const polls = await PollParts.open({
    queue,
    prefetch: concurrency,
    work: (job) => workOnPoll(job, pollTools),
    log,
  });
  const lookups = await queue.consume(
    QUEUES.lookup,
    LOOKUPS_AT_A_TIME,
    (asked) => void answerLookup(asked, tools),
  );
  return async () => {
    await Promise.all([polls.close(), lookups.cancel()]);
  };
}
