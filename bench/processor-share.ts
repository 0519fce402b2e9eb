/** Gives processes a share of a core each, as a machine of their own with less to give would: for what a bench has no cores for. */
import { Worker } from "node:worker_threads";

/** What a thread is told: the processes, and the share of one core that each may use, 0 to 1. */
export interface ProcessorShares {
  readonly pids: readonly number[];
  readonly share: number;
}

/**
 * Holds the processes down to `share` of a core each, averaged over some tens of milliseconds; the returned function lets
 * them go again. It needs no rights but to signal them, so it works where control groups cannot be made.
 */
export function limitProcessor(pids: readonly number[], share: number): () => Promise<void> {
  const workerData: ProcessorShares = { pids, share };
  // A thread of its own: one that is late would give more than the share.
  const thread = new Worker(new URL("./processor-share-thread.ts", import.meta.url), { workerData });
  return async () => {
    await thread.terminate();
    for (const pid of pids) process.kill(pid, "SIGCONT");
  };
}
