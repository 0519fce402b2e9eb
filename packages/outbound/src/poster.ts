/**
 * Posting to a URL that somebody has given us, once: whether it is tried again is decided by the caller.
 *
 *     2xx ─▶ taken      408 425 429 5xx, no answer in time ─▶ again      everything else, redirects too ─▶ refused
 *
 * A redirect is not followed: what is signed is for the address that was given. Nothing of the answer's body is read.
 */
import { type AddressGuard, ForbiddenAddressError } from "./address-guard.ts";
import { guardedAgent, permitsUrl } from "./guarded-agent.ts";
import { retryAfterMs } from "./retry-after.ts";

export interface PostLimits {
  readonly idleMs: number;
  /** Longest time for everything (milliseconds). */
  readonly totalMs: number;
  readonly connectionsPerHost: number;
}

export const POST_LIMITS: PostLimits = { idleMs: 10_000, totalMs: 15_000, connectionsPerHost: 4 };

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text, unless the headers say otherwise. */
  readonly body: string;
}

export type PostOutcome =
  | { readonly kind: "taken" }
  /** `sentence` is for people: what happened, and what to do. */
  | { readonly kind: "again"; readonly sentence: string; readonly retryAfterMs: number | null }
  | { readonly kind: "refused"; readonly sentence: string; readonly status: number | null };

export interface Poster {
  /** Never rejects. */
  post(request: PostRequest): Promise<PostOutcome>;
  close(): Promise<void>;
}

/** A poster that connects only where `guard` permits. */
export function createPoster(guard: AddressGuard, limits: PostLimits = POST_LIMITS): Poster {
  const agent = guardedAgent(guard, limits);
  return {
    post: async ({ url: typed, headers, body }) => {
      const url = URL.parse(typed);
      if (url === null || !permitsUrl(guard, url)) return forbidden(url?.host ?? typed);
      try {
        const response = await agent.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: "POST",
          headers: { "user-agent": USER_AGENT, "content-type": "application/json", ...headers },
          body,
          signal: AbortSignal.timeout(limits.totalMs),
        });
        // That it ends in an error is the point: nobody reads it.
        response.body.once("error", () => undefined).destroy();
        const wait = [response.headers["retry-after"] ?? []].flat()[0] ?? null;
        return outcomeOf(url.host, response.statusCode, retryAfterMs(wait, Date.now()));
      } catch (error) {
        return failureOf(url.host, error);
      }
    },
    close: () => agent.destroy(),
  };
}

const USER_AGENT = "Tidings/0.1 (notification service)";

function outcomeOf(host: string, status: number, waitMs: number | null): PostOutcome {
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const sentence = `${host} answered ${status}. It is tried again later.`;
    return { kind: "again", sentence, retryAfterMs: waitMs };
  }
  const sentence =
    status === 410
      ? `${host} says that nothing is taken there any more (410).`
      : status >= 300 && status < 400
        ? `${host} redirects (${status}), which is not followed: give the address that it leads to.`
        : `${host} refused it (${status}). Check the address, and what its server has logged.`;
  return { kind: "refused", sentence, status };
}

function failureOf(host: string, error: unknown): PostOutcome {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ForbiddenAddressError) return forbidden(host);
  return {
    kind: "again",
    sentence: `${host} cannot be reached, or does not answer in time. It is tried again later.`,
    retryAfterMs: null,
  };
}

function forbidden(host: string): PostOutcome {
  const sentence = `${host} is in a private network or on a port that is not the web's; give a public web address.`;
  return { kind: "refused", sentence: sentence.slice(0, 500), status: null };
}
