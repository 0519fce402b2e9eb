import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CALLS, CallError, type CallName, type CallResult, callStanza, readAnswer } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";
import type { Bus, OutgoingCall } from "./bus.ts";

const CALL_TIMEOUT_MS = 15_000;
const BACK_OFF = { firstMs: 100, maxMs: 2_000 };
/** How long one try waits: `subscribe` is answered within 10 s, everything else at once. */
const TRY_MS = 4_000;
const SUBSCRIBE_TRY_MS = 11_000;

/** {@link Bus.call} on top of {@link Bus.request}: every try carries the same operation id. */
export async function callOn<N extends CallName>(
  bus: Pick<Bus, "request">,
  call: OutgoingCall<N>,
): Promise<CallResult<N>> {
  const op = CALLS[call.name].changes ? (call.op ?? randomUUID()) : null;
  const untilAt = performance.now() + (call.timeoutMs ?? CALL_TIMEOUT_MS);
  const body = { name: call.name, op, authority: call.authority, args: call.args };

  for (let attempt = 1; ; attempt++) {
    const leftMs = untilAt - performance.now();
    const tryMs = Math.max(1, Math.min(leftMs, call.name === "subscribe" ? SUBSCRIBE_TRY_MS : TRY_MS));
    try {
      return readAnswer(call.name, await bus.request(callStanza(call.from, call.to, "", body), tryMs));
    } catch (error) {
      const pauseMs = backOffMs(attempt, BACK_OFF, Math.random());
      const mayRetry = error instanceof CallError && error.type === "wait";
      if (!mayRetry || performance.now() + pauseMs >= untilAt) throw error;
      await sleep(pauseMs);
    }
  }
}
