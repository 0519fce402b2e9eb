/** A second signal this soon after the first is the same one again: a terminal and npm both pass Ctrl-C on. */
const SAME_SIGNAL_MS = 750;

/**
 * Calls `stop` at the first SIGINT, SIGTERM or SIGHUP, and `kill` at a further one that comes later than 0.75 s after it.
 */
export function onStopSignals(stop: () => void, kill: () => void): void {
  let firstAt: number | null = null;
  const hear = () => {
    const nowAt = performance.now();
    if (firstAt === null) {
      firstAt = nowAt;
      stop();
    } else if (nowAt - firstAt > SAME_SIGNAL_MS) {
      kill();
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, hear);
}
