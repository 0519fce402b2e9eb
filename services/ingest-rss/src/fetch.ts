/**
 * Fetching one document from an address that a stranger gave us: conditional, bounded in bytes and time, with every hop of
 * a redirect checked anew.
 *
 *     address ──checked──▶ request ──2xx──▶ document
 *        ▲                    ├──304──▶ unchanged
 *        └──301 302 303 307 308┤
 *                             └──else──▶ FetchFailedError
 */
import { isIP } from "node:net";
import { canonicalFeedUrl, type Validators } from "@tidings/protocol";
import { Agent, buildConnector, type Dispatcher } from "undici";
import { type AddressGuard, ForbiddenAddressError } from "./address-guard.ts";
import { readBody } from "./body.ts";
import { FetchFailedError, failureOf, forbidden, statusFailure } from "./fetch-failure.ts";
import { retryAfterMs } from "./retry-after.ts";

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

const CONNECTIONS_PER_HOST = 2;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PERMANENT = new Set([301, 308]);

const HEADERS = {
  "user-agent": "Tidings/0.1 (notification service; fetches feeds for their subscribers)",
  accept:
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1",
  "accept-encoding": "gzip, deflate, br, zstd",
};

export interface Fetched {
  /** Where the document was found after all redirects. */
  readonly url: string;
  /** Where to ask next time: the asked address after its permanent redirects only. */
  readonly permanentUrl: string;
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

/** Fetches a document; null when it is unchanged since `validators`. Rejects with FetchFailedError. */
export type Fetch = (request: FetchRequest) => Promise<Fetched | null>;

export interface Fetcher {
  readonly fetch: Fetch;
  close(): Promise<void>;
}

/** A fetcher that connects only where `guard` permits, with at most two connections to one host. */
export function createFetcher(guard: AddressGuard, limits: FetchLimits = FETCH_LIMITS): Fetcher {
  const agent = new Agent({
    connect: guardedConnector(guard, limits.idleMs),
    connections: CONNECTIONS_PER_HOST,
    pipelining: 1,
    headersTimeout: limits.idleMs,
    bodyTimeout: limits.idleMs,
    keepAliveTimeout: 4_000,
  });
  return {
    fetch: async (request) => {
      try {
        return await fetchFollowing(agent, guard, limits, request);
      } catch (error) {
        throw failureOf(error, URL.parse(request.url)?.host ?? request.url);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Checks the address before connecting, by `lookup`, and once more the one that the socket has. */
function guardedConnector(guard: AddressGuard, timeoutMs: number): buildConnector.connector {
  return (options, callback) => {
    const port = portOf(options);
    const connect = buildConnector({
      lookup: guard.lookupFor(port),
      timeout: timeoutMs,
      autoSelectFamily: true,
    });
    connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) return callback(error, null);
      if (guard.permits(socket.remoteAddress ?? "", port)) return callback(null, socket);
      socket.destroy();
      callback(new ForbiddenAddressError(`${options.hostname} is none to fetch from`), null);
    });
  };
}

async function fetchFollowing(
  agent: Agent,
  guard: AddressGuard,
  limits: FetchLimits,
  asked: FetchRequest,
): Promise<Fetched | null> {
  const deadline = AbortSignal.timeout(limits.totalMs);
  const signal = asked.signal === undefined ? deadline : AbortSignal.any([deadline, asked.signal]);
  const start = new URL(canonicalFeedUrl(asked.url));
  let [url, permanentUrl, isPermanent] = [start, start, true];
  for (let hop = 0; hop <= limits.maxRedirects; hop += 1) {
    const response = await requestOnce(agent, guard, url, asked.validators, signal);
    const next = redirectOf(response, url);
    if (next === null)
      return readResponse(response, { url, permanentUrl }, asked.validators, limits.maxBytes);
    discard(response);
    isPermanent &&= PERMANENT.has(response.statusCode);
    url = next;
    if (isPermanent) permanentUrl = next;
  }
  throw new FetchFailedError(
    "unavailable",
    `${start.host} redirects more than ${limits.maxRedirects} times. It is tried again later.`,
  );
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

/** A host written as an IP address never reaches `lookup`, so it is checked here; the URL parser has normalised its spelling. */
function checkAddress(guard: AddressGuard, url: URL): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") throw forbidden(url.host || url.protocol);
  if (url.username !== "" || url.password !== "") {
    throw new FetchFailedError("address", "A feed address must not hold a user name or a password.");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !guard.permits(host, portOf(url))) throw forbidden(url.host);
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
): Promise<Fetched | null> {
  const { statusCode, headers, body } = response;
  const wasConditional = asked.etag !== null || asked.lastModified !== null;
  if (statusCode < 200 || statusCode > 299) {
    discard(response);
    if (statusCode === 304 && wasConditional) return null;
    throw statusFailure(where.url.host, statusCode, retryAfterMs(one(headers["retry-after"]), Date.now()));
  }
  try {
    return {
      url: where.url.href,
      permanentUrl: canonicalFeedUrl(where.permanentUrl.href),
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

/** Closes a body that nobody reads; that it ends in an error is the point. */
function discard(response: Dispatcher.ResponseData): void {
  response.body.once("error", () => undefined);
  response.body.destroy();
}

function one(field: string | string[] | undefined): string | null {
  return [field ?? []].flat()[0] ?? null;
}

/** A validator that is too long to be kept is none. */
function upTo(maxChars: number, text: string | null): string | null {
  return text === null || text.length > maxChars ? null : text;
}

function portOf(place: { readonly protocol: string; readonly port: string }): number {
  return place.port === "" ? (place.protocol === "https:" ? 443 : 80) : Number(place.port);
}
