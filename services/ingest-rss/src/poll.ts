/**
 * Poll jobs: fetch, read, publish what was found to the queue of the source's shard, and only then forget the job. What a
 * hub has sent is read alike.
 *
 *     job ──not readable──▶ dead letter
 *      ├──fetched and read, or failed──▶ result parts ──all confirmed──▶ acknowledged
 *      │                                      └──refused (queue full)──▶ given back after a pause
 *      └──about a hub──▶ the hub is asked ──▶ acknowledged
 */
import {
  type FetchFailure,
  HubJob,
  ITEMS_PER_RESULT,
  type Item,
  MalformedError,
  PollJob,
  type PollResult,
  PushedDocument,
  parseAs,
  QUEUES,
  shardOf,
  type Validators,
} from "@tidings/protocol";
import { type Delivery, type Queue, QueueStoppedError, RefusedError } from "@tidings/queue";
import { counter, crashPoint, type Log } from "@tidings/runtime";
import Type, { type Static } from "typebox";
import { ReaderBusyError, ReaderClosedError } from "./document-reader.ts";
import type { Fetch, Fetched, Unchanged } from "./fetch.ts";
import { FetchFailedError } from "./fetch-failure.ts";
import { PostponedError } from "./host-manners.ts";
import type { FetchedDocument, Reading } from "./read-document.ts";

const POLLS = counter("tidings_polls_total", "Polls and what came of them: items, unchanged, or why not.", [
  "outcome",
]);

export interface PollTools {
  readonly fetch: Fetch;
  readonly read: (document: FetchedDocument) => Promise<Reading>;
  readonly askHub: (job: HubJob) => Promise<void>;
  readonly publish: Queue["publish"];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Resolves after the pause before a refused job is given back. */
  readonly pause: () => Promise<void>;
  readonly log: Log;
}

/** Works on one delivery of the poll queue, and settles it. Never rejects. */
export async function workOnPoll(delivery: Delivery, tools: PollTools): Promise<void> {
  const job = readJob(delivery, tools.log);
  if (job === null) return;
  try {
    for (const part of await resultsOf(job, tools)) {
      if (part.part === 1) POLLS.inc({ outcome: part.failure?.reason ?? part.outcome });
      await tools.publish(QUEUES.shard(job.silo, shardOf(job.source)), JSON.stringify(part));
      if (tools.log.isLevelEnabled("debug"))
        for (const { id } of part.items)
          tools.log.debug({ trace: id, source: part.source }, "item is queued");
    }
    crashPoint("ingest.publish.after");
    delivery.ack();
    crashPoint("ingest.ack.after");
  } catch (error) {
    await giveUp(job, delivery, error, tools);
  }
}

const AnyJob = Type.Union([PollJob, HubJob, PushedDocument]);
type AnyJob = Static<typeof AnyJob>;

/** What `job` brings. Rejects only when the reader is closed. */
async function resultsOf(job: AnyJob, tools: PollTools): Promise<PollResult[]> {
  if ("pushed" in job) return readPushed(job, tools);
  if (!("hub" in job)) return poll(job, tools);
  await tools.askHub(job);
  return [];
}

/** The parts of what a hub has sent; of what cannot be read one that says that there is something to be polled. */
async function readPushed(
  { pushed, source, url, contentType, body }: PushedDocument,
  tools: PollTools,
): Promise<PollResult[]> {
  const reading = await tools.read({ body: Buffer.from(body, "base64"), contentType, url, source });
  const nothing = emptyResult(pushed, source, tools.now(), { etag: null, lastModified: null });
  const items = reading.kind === "feed" ? reading.items : [];
  return inParts({ ...nothing, pushed: true }, null, items);
}

function emptyResult(job: string, source: string, nowAt: number, validators: Validators): PollResult {
  return {
    job,
    source,
    fetchedAt: nowAt,
    outcome: "unchanged",
    part: 1,
    parts: 1,
    title: null,
    validators,
    items: [],
    failure: null,
  };
}

/** Fetches and reads what `job` asks for; the parts of the result, oldest items first. Rejects only when the reader is closed. */
export async function poll(job: PollJob, tools: PollTools): Promise<PollResult[]> {
  const empty = emptyResult(job.job, job.source, tools.now(), job.validators);
  try {
    const fetched = await tools.fetch({ url: job.url, validators: job.validators });
    crashPoint("ingest.fetch.after");
    const said = saidOf(fetched, job.url);
    if (fetched.body === null) return [{ ...empty, ...said }];
    const reading = await tools.read({ ...fetched, source: job.source });
    if (reading.kind !== "feed") throw noFeed(reading.kind);
    const found = { ...empty, ...said, validators: fetched.validators, hub: reading.hub };
    return inParts(found, reading.title, reading.items);
  } catch (error) {
    if (error instanceof PostponedError)
      return [{ ...empty, outcome: "postponed", againInMs: error.againInMs }];
    if (!(error instanceof FetchFailedError)) throw error;
    tools.log.debug({ err: error, source: job.source, job: job.job }, "poll failed");
    return [failed(empty, error.failure)];
  }
}

/** What the server says of the next time. */
function saidOf(
  { permanentUrl, freshForMs }: Fetched | Unchanged,
  askedUrl: string,
): Pick<PollResult, "freshForMs" | "movedTo"> {
  return {
    ...(freshForMs === 0 ? {} : { freshForMs }),
    ...(permanentUrl === askedUrl || permanentUrl.length > 2_000 ? {} : { movedTo: permanentUrl }),
  };
}

/** A job that nobody can read never becomes readable. */
function readJob(delivery: Delivery, log: Log): AnyJob | null {
  try {
    return parseAs(AnyJob, delivery.body, "poll job");
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    log.error({ err: error }, "poll job is not readable");
    delivery.deadLetter();
    return null;
  }
}

function inParts(empty: PollResult, title: string | null, items: readonly Item[]): PollResult[] {
  const parts = Math.max(1, Math.ceil(items.length / ITEMS_PER_RESULT));
  return Array.from({ length: parts }, (_, index) => ({
    ...empty,
    outcome: "items",
    part: index + 1,
    parts,
    title,
    items: items.slice(index * ITEMS_PER_RESULT, (index + 1) * ITEMS_PER_RESULT),
  }));
}

function failed(empty: PollResult, failure: FetchFailure): PollResult {
  return { ...empty, outcome: "failed", failure };
}

/** What a subscriber is told of a document that is no feed (any more). */
export function noFeed(kind: Exclude<Reading["kind"], "feed">): FetchFailedError {
  switch (kind) {
    case "page":
      return new FetchFailedError(
        "notAFeed",
        "At this address there is a web page, no feed. Look for the address of its feed.",
      );
    case "other":
      return new FetchFailedError(
        "notAFeed",
        "What is at this address is no feed: neither RSS, nor Atom, nor JSON Feed.",
      );
    case "broken":
      return new FetchFailedError(
        "malformed",
        "This feed is damaged, and nothing of it could be read. Its owner has to repair it.",
      );
  }
}

/** A full queue gets time to drain: the job stays ours for the pause, so that it does not go round and round. */
async function giveUp(job: AnyJob, delivery: Delivery, error: unknown, tools: PollTools): Promise<void> {
  const fields = { err: error, source: job.source, job: "pushed" in job ? job.pushed : job.job };
  if (error instanceof QueueStoppedError || error instanceof ReaderClosedError) {
    tools.log.debug(fields, "poll was cut off by the end of the service");
    return delivery.giveBack();
  }
  if (!(error instanceof RefusedError || error instanceof ReaderBusyError)) {
    tools.log.error(fields, "poll job failed");
    return delivery.deadLetter();
  }
  tools.log.warn(fields, "the job is given back, and done later");
  await tools.pause();
  delivery.giveBack();
}
