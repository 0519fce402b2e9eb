const LOOK_EVERY_MS = 500;

/**
 * Calls `act` when npm, which started this process, has died without a word (SIGKILL): nobody could stop us any more.
 * @param {() => void} act
 * @param {{ npm_lifecycle_event?: string | undefined }} env
 */
export function onOrphaned(act, env = process.env) {
  if (env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, LOOK_EVERY_MS);
  timer.unref();
}
