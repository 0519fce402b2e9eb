/**
 * Look-ups: "what is at this address?", asked by people who type an address. The answer names the feed itself, found through
 * permanent redirects and through what the page says of its feeds.
 */
import {
  canonicalFeedUrl,
  FeedAddressError,
  type FetchFailure,
  feedSource,
  Lookup,
  type LookupAnswer,
  MalformedError,
  parseAs,
} from "@tidings/protocol";
import type { Delivery } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import { feedCandidates, feedsInHeader } from "./discover.ts";
import type { Fetch, Fetched } from "./fetch.ts";
import { FetchFailedError, failureOf } from "./fetch-failure.ts";
import { PostponedError } from "./host-manners.ts";
import { noFeed } from "./poll.ts";
import type { FetchedDocument, Reading } from "./read-document.ts";

/** A person is waiting (milliseconds). */
const DEADLINE_MS = 20_000;
const SHOWN_ITEMS = 20;
const NO_VALIDATORS = { etag: null, lastModified: null };

export interface LookupTools {
  readonly fetch: Fetch;
  readonly read: (document: FetchedDocument) => Promise<Reading>;
  readonly log: Log;
}

/** Answers one delivery of the look-up queue. Never rejects. */
export async function answerLookup(delivery: Delivery, tools: LookupTools): Promise<void> {
  try {
    const { url } = parseAs(Lookup, delivery.body, "look-up");
    delivery.reply(JSON.stringify(await lookUp(url, tools)));
  } catch (error) {
    const level = error instanceof MalformedError ? "warn" : "error";
    tools.log[level]({ err: error }, "look-up failed");
    delivery.ack();
  }
}

/** What is at the address that somebody typed. Rejects only when the reader is closed. */
export async function lookUp(typed: string, tools: LookupTools): Promise<LookupAnswer> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const first = await firstVisit(typed, tools, signal);
    if (first.reading.kind === "feed") return found(first.fetched, first.reading);
    return await searchPage(first, tools, signal);
  } catch (error) {
    if (error instanceof PostponedError) return notFound(busyFailure(error));
    if (!(error instanceof FetchFailedError)) throw error;
    return notFound(error.failure);
  }
}

function busyFailure({ message, againInMs }: PostponedError): FetchFailure {
  return { reason: "unavailable", sentence: `${message}. Try again then.`, retryAfterMs: againInMs };
}

interface Visit {
  readonly fetched: Fetched;
  readonly reading: Reading;
}

/** An address without a scheme is tried with https, and with http when nothing answers there. */
async function firstVisit(typed: string, tools: LookupTools, signal: AbortSignal): Promise<Visit> {
  const url = canonical(typed);
  try {
    return await visit(url, tools, signal);
  } catch (error) {
    const isUnreachable = error instanceof FetchFailedError && error.reason === "unreachable";
    if (!isUnreachable || !url.startsWith("https:") || /^\s*(?:https|feed):/i.test(typed)) throw error;
    return visit(url.replace("https:", "http:"), tools, signal);
  }
}

async function visit(url: string, tools: LookupTools, signal: AbortSignal): Promise<Visit> {
  const fetched = await tools.fetch({ url, validators: NO_VALIDATORS, signal });
  if (fetched.body === null)
    throw new FetchFailedError("unavailable", "The server gave no document. Try again later.");
  const reading = await tools.read({ ...fetched, source: feedSource(fetched.permanentUrl) });
  return { fetched, reading };
}

/** Visits what the page names, or the usual places, until one is a feed. */
async function searchPage(
  { fetched, reading }: Visit,
  tools: LookupTools,
  signal: AbortSignal,
): Promise<LookupAnswer> {
  if (reading.kind === "broken") throw noFeed("broken");
  const named = reading.kind === "page" ? reading.feeds : [];
  const inHeader = feedsInHeader(fetched.link, fetched.url);
  if (reading.kind !== "page" && inHeader.length === 0) throw noFeed("other");
  for (const candidate of feedCandidates(named, inHeader, fetched.url)) {
    const feed = await tryCandidate(candidate, tools, signal);
    if (feed !== null) return feed;
  }
  const sentence =
    "This page is no feed and names none. Look on it for a link to its feed, or paste the feed's own address.";
  return notFound(new FetchFailedError("notAFeed", sentence).failure);
}

/** The answer when `url` is a feed; null when it is something else or cannot be fetched, which of a guess is no news. */
async function tryCandidate(
  url: string,
  tools: LookupTools,
  signal: AbortSignal,
): Promise<LookupAnswer | null> {
  try {
    const { fetched, reading } = await visit(canonical(url), tools, signal);
    return reading.kind === "feed" ? found(fetched, reading) : null;
  } catch (error) {
    if (!(error instanceof FetchFailedError)) throw error;
    tools.log.debug({ err: error, url }, "candidate is no feed");
    return null;
  }
}

function found(fetched: Fetched, feed: Extract<Reading, { kind: "feed" }>): LookupAnswer {
  const items = feed.items.slice(-SHOWN_ITEMS).reverse();
  return { found: true, url: fetched.permanentUrl, title: feed.title, items };
}

function notFound(failure: FetchFailure): LookupAnswer {
  return { found: false, failure };
}

function canonical(typed: string): string {
  try {
    return canonicalFeedUrl(typed);
  } catch (error) {
    if (error instanceof FeedAddressError) throw failureOf(error, typed);
    throw error;
  }
}
