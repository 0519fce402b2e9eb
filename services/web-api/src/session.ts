/**
 * Who asks. A token names its user, so that any web-api process knows which avatar to ask, and holds the secret that only
 * this avatar can check (user-token.ts). Nothing of it is kept here.
 */
import type { FastifyRequest } from "fastify";
import { Problem, SIGN_IN_FIRST } from "./problem.ts";
import { heldBy, tokenFor } from "./user-token.ts";

export const SESSION_COOKIE = "tidings_session";

export interface Caller {
  readonly name: string;
  /** The secret of a session or of an API token. */
  readonly session: string;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set on every route that needs a session, before its handler runs. */
    caller: Caller | null;
  }
}

/** The token for the session `session` of the user `name`. */
export function tokenOf({ name, session }: Caller): string {
  return tokenFor("tds", name, session);
}

/** What the token of a session, or one for the API, holds; null when it cannot be a token. Whether it counts only the avatar knows. */
export function callerOf(token: string): Caller | null {
  const held = heldBy("tds", token) ?? heldBy("tdt", token);
  return held === null ? null : { name: held.name, session: held.secret };
}

/**
 * Finds the caller in the Authorization header, or else in the cookie; a cookie makes changes only from a page of this
 * very origin. Throws Problem 401 or 403.
 */
export function authenticate(request: FastifyRequest): Caller {
  const header = request.headers.authorization;
  const bearer = header === undefined ? null : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? "");
  const caller = callerOf(bearer ?? request.cookies[SESSION_COOKIE] ?? "");
  if (caller === null) throw new Problem(401, SIGN_IN_FIRST);
  if (bearer === null && isChange(request) && !isSameOrigin(request)) throw foreignPage();
  return caller;
}

/** Refuses what a browser says comes from a page elsewhere; for routes that need no session. Throws Problem 403. */
export function refuseForeignPage(request: FastifyRequest): void {
  const { "sec-fetch-site": site, origin } = request.headers;
  if ((site !== undefined || origin !== undefined) && !isSameOrigin(request)) throw foreignPage();
}

/** The caller of a route that needs a session. */
export function callerIn(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Problem(401, SIGN_IN_FIRST);
  return request.caller;
}

function isChange(request: FastifyRequest): boolean {
  return request.method !== "GET" && request.method !== "HEAD";
}

/** Fetch Metadata where the browser sends it, else the Origin header (RFC 6454 §7). */
function isSameOrigin(request: FastifyRequest): boolean {
  const { "sec-fetch-site": site, origin } = request.headers;
  if (site !== undefined) return site === "same-origin" || site === "none";
  return (
    origin !== undefined && origin.toLowerCase() === `${request.protocol}://${request.host}`.toLowerCase()
  );
}

function foreignPage(): Problem {
  return new Problem(
    403,
    "A page of another site asked for this; open Tidings itself, or send a bearer token instead of the cookie.",
  );
}
