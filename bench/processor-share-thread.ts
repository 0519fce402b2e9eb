/** Stops a process that has used up its share of a core, and lets it go on when it has some again. */
import { workerData } from "node:worker_threads";
import { cpuMsOf } from "./processes.ts";
import type { ProcessorShares } from "./processor-share.ts";

const LOOK_EVERY_MS = 5;
/** What a process may use later of what it has not used (milliseconds). */
const MOST_SAVED_MS = 20;

const { pids, share } = workerData as ProcessorShares;
for (const pid of pids) hold(pid);

function hold(pid: number): void {
  let leftMs = 0;
  let usedMs = cpuMsOf(pid);
  let lookedAtMs = performance.now();
  setInterval(() => {
    const [nowUsedMs, nowMs] = [cpuMsOf(pid), performance.now()];
    leftMs = Math.min(MOST_SAVED_MS, leftMs + (nowMs - lookedAtMs) * share - (nowUsedMs - usedMs));
    [usedMs, lookedAtMs] = [nowUsedMs, nowMs];
    process.kill(pid, leftMs > 0 ? "SIGCONT" : "SIGSTOP");
  }, LOOK_EVERY_MS);
}
