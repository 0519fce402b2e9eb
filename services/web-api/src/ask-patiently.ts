import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "@tidings/bus";
import { CallError, type Element } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";

const ANSWER_MS = 5_000;
const PATIENCE_MS = 15_000;

/**
 * Sends the IQ that `stanza` makes, and a new one after each error of type `wait`, for at most 15 s and one more answer;
 * so the request must be safe to repeat. Resolves with the result, rejects with CallError.
 */
export async function askPatiently(bus: Pick<Bus, "request">, stanza: () => Element): Promise<Element> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bus.request(stanza(), ANSWER_MS);
    } catch (error) {
      const mayHelp = error instanceof CallError && error.type === "wait" && performance.now() < untilMs;
      if (!mayHelp) throw error;
      await delay(backOffMs(attempt, { firstMs: 100, maxMs: 2_000 }, Math.random()));
    }
  }
}
