/** Why a fetch brought nothing, in words for people: what happened, and what to do. */

import { ForbiddenAddressError } from "@tidings/outbound";
import { FeedAddressError, type FetchFailure } from "@tidings/protocol";

/** The kinds of {@link FetchFailure}, for the decisions of programs. */
export type FailureReason =
  | "address"
  | "unreachable"
  | "refused"
  | "unavailable"
  | "gone"
  | "tooLarge"
  | "notAFeed"
  | "malformed";

/** A fetch or a document that brought nothing; `failure` is what is told to people. */
export class FetchFailedError extends Error {
  override readonly name = "FetchFailedError";
  readonly failure: FetchFailure;
  readonly reason: FailureReason;

  constructor(
    reason: FailureReason,
    sentence: string,
    options: ErrorOptions & { retryAfterMs?: number | null } = {},
  ) {
    super(sentence, options);
    const { retryAfterMs = null } = options;
    this.reason = reason;
    this.failure = {
      reason: reason as FetchFailure["reason"],
      sentence: sentence.slice(0, 500),
      retryAfterMs,
    };
  }
}

/** The failure of an answer with `status` (≥ 400, or one that makes no sense for a fetch) from `host`. */
export function statusFailure(host: string, status: number, retryAfterMs: number | null): FetchFailedError {
  const failed = (reason: FailureReason, sentence: string) =>
    new FetchFailedError(reason, sentence, { retryAfterMs });
  if (status === 410)
    return failed("gone", `${host} says that this feed is gone for good (410). Look for its new address.`);
  if (status === 404)
    return failed("refused", `${host} has nothing at this address (404). Check the address in a browser.`);
  if (status === 401 || status === 403 || status === 407) {
    return failed(
      "refused",
      `${host} does not let us read this address (${status}). Only public feeds can be followed.`,
    );
  }
  if (status === 429)
    return failed("unavailable", `${host} asks for fewer requests (429). It is tried again later.`);
  if (status === 408 || status === 425 || status >= 500) {
    return failed("unavailable", `${host} has a problem of its own (${status}). It is tried again later.`);
  }
  if (status >= 400)
    return failed("refused", `${host} refused the request (${status}). Check the address in a browser.`);
  return failed(
    "unavailable",
    `${host} gave an answer that is no document (${status}). It is tried again later.`,
  );
}

/** The failure behind an error of the connection, the address or a limit. */
export function failureOf(error: unknown, host: string): FetchFailedError {
  if (error instanceof FetchFailedError) return error;
  const cause = rootOf(error);
  if (cause instanceof ForbiddenAddressError) return forbidden(host, cause);
  if (cause instanceof FeedAddressError) return new FetchFailedError("address", cause.message, { cause });
  const sentence = UNREACHABLE.find(([pattern]) => pattern.test(wordsOf(cause)))?.[1](host);
  return new FetchFailedError(
    "unreachable",
    sentence ?? `${host} cannot be reached. It is tried again later.`,
    { cause },
  );
}

/** An address in a network or on a port that is not fetched from. */
export function forbidden(host: string, cause?: unknown): FetchFailedError {
  const sentence = `${host} is in a private network or on a port that is not the web's. Only public web addresses can be read.`;
  return new FetchFailedError("address", sentence, { cause });
}

const UNREACHABLE: readonly (readonly [RegExp, (host: string) => string])[] = [
  [/ENOTFOUND|ENODATA/, (host) => `There is no server named ${host}. Check the spelling of the address.`],
  [
    /EAI_AGAIN|ESERVFAIL/,
    (host) => `The name ${host} could not be looked up just now. It is tried again later.`,
  ],
  [/ECONNREFUSED/, (host) => `${host} takes no connections. It is tried again later.`],
  [
    /CERT|TLS|SSL|SELF_SIGNED|EPROTO|UNABLE_TO/,
    (host) => `The secure connection to ${host} failed: its certificate is not valid for it.`,
  ],
  [/Timeout|TIMEOUT|AbortError/, (host) => `${host} did not answer in time. It is tried again later.`],
];

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name} ${String((error as { code?: unknown }).code ?? "")}`;
}

/** Undici and happy eyeballs wrap what happened; the innermost cause says most. */
function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < 5 && !isOurs(root); depth += 1) {
    const inner =
      root instanceof AggregateError ? root.errors[0] : (root as { cause?: unknown } | null)?.cause;
    if (inner === undefined || inner === null) return root;
    root = inner;
  }
  return root;
}

function isOurs(error: unknown): boolean {
  return error instanceof ForbiddenAddressError || error instanceof FeedAddressError;
}
