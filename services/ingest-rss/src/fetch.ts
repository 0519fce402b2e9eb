/**
 * Fetching one document from an address that a stranger gave us: conditional, bounded in bytes and time, with every hop of
 * a redirect checked anew.
 *
 *     address ──checked──▶ request ──2xx──▶ document
 *        ▲                    ├──304──▶ unchanged
 *        └──301 302 303 307 308┤
 *                             └──else──▶ FetchFailedError
 */
import { type AddressGuard, guardedAgent, permitsUrl, retryAfterMs } from "@tidings/outbound";
import { canonicalFeedUrl, type Validators } from "@tidings/protocol";
import type { Agent, Dispatcher } from "undici";
import { readBody } from "./body.ts";
import { FetchFailedError, failureOf, forbidden, statusFailure } from "./fetch-failure.ts";
import { freshForMs } from "./freshness.ts";
import { type HostManners, PostponedError } from "./host-manners.ts";
import { Slots } from "./slots.ts";

export interface FetchLimits {
  /** Largest document, decoded (bytes). */
  readonly maxBytes: number;
  /** Longest silence of the server (milliseconds). */
  readonly idleMs: number;
  /** Longest time for everything, redirects included (milliseconds). */
  readonly totalMs: number;
  readonly maxRedirects: number;
}

export const FETCH_LIMITS: FetchLimits = {
  maxBytes: 5 * 1024 * 1024,
  idleMs: 10_000,
  totalMs: 30_000,
  maxRedirects: 5,
};

/** What is polite is a matter of {@link HostManners}. */
const CONNECTIONS_PER_HOST = 20;
/** A longer body that nobody wants costs more than another connection. */
const DISCARDED_BYTES = 16_384;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PERMANENT = new Set([301, 308]);

const HEADERS = {
  "user-agent": "Tidings/0.1 (notification service; fetches feeds for their subscribers)",
  accept:
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1",
  "accept-encoding": "gzip, deflate, br, zstd",
};

interface Answered {
  /** Where to ask next time: the asked address after its permanent redirects only. */
  readonly permanentUrl: string;
  /** For how long it stays as it is, as far as its server says (milliseconds). */
  readonly freshForMs: number;
}

/** It is as it was when the validators were given. */
export interface Unchanged extends Answered {
  readonly body: null;
}

export interface Fetched extends Answered {
  /** Where the document was found after all redirects. */
  readonly url: string;
  readonly contentType: string;
  /** The Link header fields (RFC 8288), joined. */
  readonly link: string;
  readonly body: Buffer;
  readonly validators: Validators;
}

export interface FetchRequest {
  readonly url: string;
  readonly validators: Validators;
  /** Ends the fetch early. */
  readonly signal?: AbortSignal;
}

/** Fetches a document. Rejects with FetchFailedError, or with PostponedError when its host is asked by too many. */
export type Fetch = (request: FetchRequest) => Promise<Fetched | Unchanged>;

export interface Fetcher {
  readonly fetch: Fetch;
  close(): Promise<void>;
}

export interface FetcherOptions {
  readonly limits?: FetchLimits;
  /** How often a host is asked; default: as often as one likes. */
  readonly manners?: Pick<HostManners, "turn">;
  /** Requests at a time. */
  readonly concurrency?: number;
}

const NO_MANNERS = { turn: async () => () => {} };

/** A fetcher that connects only where `guard` permits. */
export function createFetcher(
  guard: AddressGuard,
  { limits = FETCH_LIMITS, manners = NO_MANNERS, concurrency = 100 }: FetcherOptions = {},
): Fetcher {
  const slots = new Slots(concurrency);
  const agent = guardedAgent(guard, { ...limits, connectionsPerHost: CONNECTIONS_PER_HOST });
  const means = { agent, guard, limits, manners, slots };
  return {
    fetch: async (request) => {
      try {
        return await fetchFollowing(means, request);
      } catch (error) {
        if (error instanceof PostponedError) throw error;
        throw failureOf(error, URL.parse(request.url)?.host ?? request.url);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Means {
  readonly agent: Agent;
  readonly guard: AddressGuard;
  readonly limits: FetchLimits;
  readonly manners: Pick<HostManners, "turn">;
  readonly slots: Slots;
}

/** The time begins when the host may be asked. */
async function fetchFollowing(means: Means, asked: FetchRequest): Promise<Fetched | Unchanged> {
  const start = new URL(canonicalFeedUrl(asked.url));
  checkAddress(means.guard, start);
  const endTurn = await begin(means, start);
  const deadline = AbortSignal.timeout(means.limits.totalMs);
  const signal = asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal]);
  return followFrom(means, start, endTurn, { ...asked, signal });
}

async function followFrom(
  means: Means,
  start: URL,
  endFirstTurn: () => void,
  { validators, signal }: FetchRequest & { readonly signal: AbortSignal },
): Promise<Fetched | Unchanged> {
  const { maxRedirects, maxBytes } = means.limits;
  let [url, permanentUrl, isPermanent, endTurn] = [start, start, true, endFirstTurn];
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    try {
      const response = await requestOnce(means.agent, means.guard, url, validators, signal);
      const next = redirectOf(response, url);
      if (next === null) return await readResponse(response, { url, permanentUrl }, validators, maxBytes);
      discard(response);
      isPermanent &&= PERMANENT.has(response.statusCode);
      url = next;
      if (isPermanent) permanentUrl = next;
    } finally {
      endTurn();
    }
    if (hop < maxRedirects) endTurn = await begin(means, url);
  }
  throw new FetchFailedError(
    "unavailable",
    `${start.host} redirects more than ${maxRedirects} times. It is tried again later.`,
  );
}

/** Waits until the host of `url` may be asked; gives the function that ends that. */
async function begin({ manners, slots, guard }: Means, url: URL): Promise<() => void> {
  checkAddress(guard, url);
  const endTurn = await manners.turn(url.hostname);
  await slots.take();
  return () => {
    slots.give();
    endTurn();
  };
}

async function requestOnce(
  agent: Agent,
  guard: AddressGuard,
  url: URL,
  validators: Validators,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  checkAddress(guard, url);
  const conditions = {
    ...(validators.etag === null ? {} : { "if-none-match": validators.etag }),
    ...(validators.lastModified === null ? {} : { "if-modified-since": validators.lastModified }),
  };
  try {
    return await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: "GET",
      headers: { ...HEADERS, ...conditions },
      signal,
    });
  } catch (error) {
    throw failureOf(error, url.host);
  }
}

function checkAddress(guard: AddressGuard, url: URL): void {
  if (url.username !== "" || url.password !== "") {
    throw new FetchFailedError("address", "A feed address must not hold a user name or a password.");
  }
  if (!permitsUrl(guard, url)) throw forbidden(url.host || url.protocol);
}

function redirectOf(response: Dispatcher.ResponseData, from: URL): URL | null {
  const location = one(response.headers.location);
  if (!REDIRECTS.has(response.statusCode) || location === null) return null;
  const target = URL.parse(location, from);
  if (target === null || (target.protocol !== "http:" && target.protocol !== "https:")) {
    discard(response);
    throw new FetchFailedError("address", `${from.host} redirects to something that is no web address.`);
  }
  return new URL(canonicalFeedUrl(target.href));
}

async function readResponse(
  response: Dispatcher.ResponseData,
  where: { readonly url: URL; readonly permanentUrl: URL },
  asked: Validators,
  maxBytes: number,
): Promise<Fetched | Unchanged> {
  const { statusCode, headers, body } = response;
  const wasConditional = asked.etag !== null || asked.lastModified !== null;
  const permanentUrl = canonicalFeedUrl(where.permanentUrl.href);
  const answered = { permanentUrl, freshForMs: freshForMs(headers, Date.now()) };
  if (statusCode < 200 || statusCode > 299) {
    discard(response);
    if (statusCode === 304 && wasConditional) return { ...answered, body: null };
    throw statusFailure(where.url.host, statusCode, retryAfterMs(one(headers["retry-after"]), Date.now()));
  }
  try {
    return {
      ...answered,
      url: where.url.href,
      contentType: one(headers["content-type"]) ?? "",
      link: [headers.link ?? []].flat().join(", ").slice(0, 10_000),
      body: await readBody(body, one(headers["content-encoding"]) ?? "", maxBytes),
      validators: {
        etag: upTo(1_000, one(headers.etag)),
        lastModified: upTo(200, one(headers["last-modified"])),
      },
    };
  } catch (error) {
    throw failureOf(error, where.url.host);
  }
}

/** Reads past a short body that nobody wants, so that the connection serves again; closes it with a longer one. */
function discard(response: Dispatcher.ResponseData): void {
  // How it ends is no matter: the time for it is that of the fetch.
  response.body.dump({ limit: DISCARDED_BYTES }).catch(() => undefined);
}

function one(field: string | string[] | undefined): string | null {
  return [field ?? []].flat()[0] ?? null;
}

/** A validator that is too long to be kept is none. */
function upTo(maxChars: number, text: string | null): string | null {
  return text === null || text.length > maxChars ? null : text;
}
