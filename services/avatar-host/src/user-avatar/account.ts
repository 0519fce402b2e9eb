/** Sign-up, and who may do what. */
import { CALLS, CallError, type CallName } from "@tidings/protocol";
import type { IncomingCall } from "../shard/avatar.ts";
import type { Turn } from "../shard/turn.ts";
import { isSecretFor } from "./access.ts";
import { CORE, type CoreRow } from "./rows.ts";

/** The domains that calls may come from. */
export interface CallDomains {
  readonly web: string;
  readonly agents: string;
}

/** Throws CallError unless the call may be made by whom it says, from where it came. */
export function authorize(
  turn: Turn,
  core: CoreRow | undefined,
  call: IncomingCall,
  domains: CallDomains,
): void {
  const { may } = CALLS[call.name as CallName];
  const isAgent = call.fromDomain === domains.web || call.fromDomain.endsWith(`.${domains.agents}`);
  if (!isAgent)
    throw new CallError("auth", "forbidden", "Only the services of this installation may call an avatar.");
  if (may === "anyone") return;
  if (may === "service") {
    if (call.fromDomain === domains.web) return;
    throw new CallError("auth", "forbidden", `Only web-api may call ${call.name}.`);
  }
  if (core?.state === "active" && isKnown(turn, core, call, domains)) return;
  throw new CallError("auth", "not-authorized", "Sign in again: this session has ended or never was.");
}

/** A secret counts from web-api alone; an address only where an agent vouches for it. */
function isKnown(
  turn: Turn,
  core: CoreRow,
  { authority, fromDomain, name }: IncomingCall,
  domains: CallDomains,
): boolean {
  if (authority === null) return false;
  if ("session" in authority)
    return fromDomain === domains.web && isSecretFor(turn, authority.session, name as CallName);
  if (fromDomain === domains.web) return false;
  return core.destinations.some(({ state, address }) => state === "verified" && address === authority.jid);
}

/** Throws CallError when there is no such user (yet). */
export function active(core: CoreRow | undefined): CoreRow {
  if (core?.state === "active") return core;
  throw new CallError("cancel", "item-not-found", "There is no such user.");
}

/** A new avatar for a name that nobody has, or the one of a sign-up that was cut off. Throws `conflict` when it is taken. */
export function beginSignUp(turn: Turn, core: CoreRow | undefined): CoreRow {
  if (core?.state === "active")
    throw new CallError("cancel", "conflict", "This name is taken; choose another.");
  const row: CoreRow = {
    state: "creating",
    createdAt: turn.nowAt,
    pausedUntilAt: null,
    destinations: [],
    receiptsFrom: [],
  };
  turn.put(CORE, row);
  return row;
}

/** The user's own IM account becomes the first destination; it needs no code, as we made it. */
export function finishSignUp(turn: Turn, core: CoreRow | undefined, address: string): CoreRow {
  if (core === undefined)
    throw new CallError("cancel", "item-not-found", "There is no sign-up to finish; begin again.");
  if (core.state === "active") return core;
  const own = {
    id: "im",
    channel: "im",
    address,
    state: "verified",
    code: null,
    codeUntilAt: null,
    triesLeft: 0,
    problem: null,
  } as const;
  const row: CoreRow = { ...core, state: "active", destinations: [own] };
  turn.put(CORE, row);
  return row;
}
