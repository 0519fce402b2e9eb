import { setTimeout as delay } from "node:timers/promises";

export interface Patience {
  /** Longest wait (milliseconds), 10,000 when not given. */
  readonly withinMs?: number;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/**
 * Resolves with what `look` returns as soon as it does not throw, trying again after pauses that grow from 5 to 250 ms.
 * When the time is up it rejects with the last error that `look` threw, which says what was missing. This is how a test
 * waits: for what it expects, and no longer.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { withinMs = 10_000 }: Patience = {},
): Promise<T> {
  const deadlineAt = performance.now() + withinMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() >= deadlineAt) throw error;
    }
    await delay(pauseMs);
  }
}
