/** What else the machine does. Figures of a busy machine say more about what keeps it busy. */
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_MS = 1_000;

/** The share of all processors' time (0 … 1) that is used in the second from now on. */
export async function busyShare(): Promise<number> {
  const before = times();
  await pause(LOOK_MS);
  const after = times();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

function times(): { idle: number; all: number } {
  const all = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    all: user + nice + sys + idle + irq,
  }));
  return {
    idle: all.reduce((sum, { idle }) => sum + idle, 0),
    all: all.reduce((sum, one) => sum + one.all, 0),
  };
}
