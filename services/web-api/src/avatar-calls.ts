/** Calls to user avatars over the bus, from the `web` agent. */
import { createHash } from "node:crypto";
import type { Bus, OutgoingCall } from "@tidings/bus";
import type { Addresses, CallArgs, CallName, CallResult } from "@tidings/protocol";
import { crashPoint } from "@tidings/runtime";
import type { FastifyRequest } from "fastify";
import type { Caller } from "./session.ts";

const CALL_TIMEOUT_MS = 15_000;

export interface AvatarCalls {
  /** Calls the caller's own avatar with their session. Rejects with CallError. */
  asUser<N extends CallName>(caller: Caller, name: N, args: CallArgs<N>, op?: string): Promise<CallResult<N>>;
  /** Calls the avatar of `user` without a session: sign-up and log-in. Rejects with CallError. */
  asService<N extends CallName>(
    user: string,
    name: N,
    args: CallArgs<N>,
    op?: string,
    timeoutMs?: number,
  ): Promise<CallResult<N>>;
}

/** Calls over `bus` to the avatars of the installation with these `addresses`. */
export function avatarCalls(bus: Bus, addresses: Addresses): AvatarCalls {
  const from = addresses.web;
  const to = (user: string) => `${user}@${addresses.silo}`;
  const done = async <N extends CallName>(call: Omit<OutgoingCall<N>, "from">): Promise<CallResult<N>> => {
    const result = await bus.call<N>({ from, ...call });
    crashPoint("web.call.after");
    return result;
  };
  const withOp = (op: string | undefined) => (op === undefined ? {} : { op });
  return {
    asUser: ({ name: user, session }, name, args, op) =>
      done({ to: to(user), name, args, authority: { session }, timeoutMs: CALL_TIMEOUT_MS, ...withOp(op) }),
    asService: (user, name, args, op, timeoutMs = CALL_TIMEOUT_MS) =>
      done({ to: to(user), name, args, authority: null, timeoutMs, ...withOp(op) }),
  };
}

/**
 * The operation id of one `step` of a request that carries Idempotency-Key, the same for each repeat by the same `user`
 * to the same path; undefined without the header.
 */
export function operationId(request: FastifyRequest, user: string, step: string): string | undefined {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string") return undefined;
  const path = request.url.split("?", 1)[0];
  return createHash("sha256")
    .update(JSON.stringify([key, user, request.method, path, step]))
    .digest("hex");
}
