/**
 * Who may ask in the user's name: sessions, which a password opens, and API tokens, which a session makes for programs. Each
 * has a secret that is told once and kept as a hash, which is also its id: whoever reads that cannot ask with it. Only where a
 * token was asked for with an operation id the answer, secret and all, is kept for a day, so that a repeat gets the same one.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  type Authority,
  CALLS,
  type CallArgs,
  CallError,
  type CallName,
  type CallResult,
  MOST_TOKENS,
  type SessionView,
  type TokenScope,
  type TokenView,
} from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { SESSION, TOKEN } from "./rows.ts";

const SESSION_MS = 30 * 24 * 3_600_000;
const MOST_SESSIONS = 50;

type SessionRow = Omit<SessionView, "id" | "isCurrent">;
type TokenRow = Omit<TokenView, "id">;

/** What is done with notifications. */
const ACTS: ReadonlySet<CallName> = new Set<CallName>([
  "markRead",
  "acknowledge",
  "snooze",
  "redeliver",
  "reply",
]);
/** What changes who may ask, or ends everything: for somebody who has shown the password. */
const BY_SESSION_ALONE: ReadonlySet<CallName> = new Set<CallName>([
  "closeSession",
  "sessions",
  "endSession",
  "addToken",
  "tokens",
  "removeToken",
  "erase",
]);

/** A new session. Those whose time is over go, and the oldest give way when there are many. */
export function openSession(turn: Turn, label: string): CallResult<"openSession"> {
  const kept = sessions(turn, null).slice(0, MOST_SESSIONS - 1);
  const keys = new Set(kept.map(({ id }) => SESSION + id));
  for (const { key } of turn.list(withPrefix(SESSION))) if (!keys.has(key)) turn.delete(key);
  const session = newSecret();
  const untilAt = turn.nowAt + SESSION_MS;
  turn.put(SESSION + idOf(session), { label, createdAt: turn.nowAt, untilAt } satisfies SessionRow);
  return { session, untilAt };
}

export function closeSession(turn: Turn, authority: Authority): void {
  if (authority !== null && "session" in authority) turn.delete(SESSION + idOf(authority.session));
}

/** All that have not ended, newest first; `authority` is on whose behalf it is asked. */
export function sessions(turn: Turn, authority: Authority): SessionView[] {
  const own = authority !== null && "session" in authority ? idOf(authority.session) : null;
  return turn
    .list(withPrefix(SESSION))
    .map(({ key, value }) => ({ id: key.slice(SESSION.length), ...(JSON.parse(value) as SessionRow) }))
    .map((row) => ({ ...row, isCurrent: row.id === own }))
    .filter(({ untilAt }) => untilAt > turn.nowAt)
    .sort((a, b) => b.createdAt - a.createdAt);
}

/** Throws `item-not-found`. */
export function endSession(turn: Turn, id: string): void {
  removeOne(turn, SESSION + id, "session");
}

/** A new token. Throws CallError when there are as many as may be, or when its time is over already. */
export function addToken(
  turn: Turn,
  { title, scopes, untilAt }: CallArgs<"addToken">,
): CallResult<"addToken"> {
  if (tokens(turn).length >= MOST_TOKENS)
    throw new CallError("modify", "not-acceptable", `You have ${MOST_TOKENS} tokens; remove one first.`);
  if (untilAt !== null && untilAt <= turn.nowAt)
    throw new CallError("modify", "not-acceptable", "A token ends in the future.");
  const secret = newSecret();
  const row: TokenRow = { title, scopes: [...new Set(scopes)], createdAt: turn.nowAt, untilAt };
  turn.put(TOKEN + idOf(secret), row);
  return { secret, token: { id: idOf(secret), ...row } };
}

/** All of them, also those whose time is over, oldest first. */
export function tokens(turn: Turn): TokenView[] {
  return turn
    .list(withPrefix(TOKEN))
    .map(({ key, value }) => ({ id: key.slice(TOKEN.length), ...(JSON.parse(value) as TokenRow) }))
    .sort((a, b) => a.createdAt - b.createdAt);
}

/** Throws `item-not-found`. */
export function removeToken(turn: Turn, id: string): void {
  removeOne(turn, TOKEN + id, "token");
}

/** Whether `secret` is that of a session, or of a token. Throws `forbidden` when a token is not for `call`. */
export function isSecretFor(turn: Turn, secret: string, call: CallName): boolean {
  const session = turn.get<SessionRow>(SESSION + idOf(secret));
  if (session !== undefined) return session.untilAt > turn.nowAt;
  const token = turn.get<TokenRow>(TOKEN + idOf(secret));
  if (token === undefined || (token.untilAt !== null && token.untilAt <= turn.nowAt)) return false;
  const scope = scopeOf(call);
  if (scope !== null && token.scopes.includes(scope)) return true;
  const sentence =
    scope === null
      ? "No token may do this: sign in with the password."
      : `This token has not the scope "${scope}"; make one that has under /v1/tokens.`;
  throw new CallError("auth", "forbidden", sentence);
}

/** The scope that a token needs for a call; null when no token may make it. */
function scopeOf(call: CallName): TokenScope | null {
  if (BY_SESSION_ALONE.has(call)) return null;
  if (ACTS.has(call)) return "act";
  return CALLS[call].changes ? "write" : "read";
}

function removeOne(turn: Turn, key: string, noun: string): void {
  if (turn.text(key) === undefined)
    throw new CallError("cancel", "item-not-found", `You have no such ${noun}.`);
  turn.delete(key);
}

function newSecret(): string {
  return randomBytes(24).toString("base64url");
}

function idOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
