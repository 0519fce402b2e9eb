/**
 * Finds out that a connection is dead although TCP has not noticed: after 30 s without a byte a ping (XEP-0199) goes
 * out, and 10 s of further silence end the connection.
 */
const QUIET_MS = 30_000;
const SILENCE_MS = 10_000;
const LOOK_EVERY_MS = 2_500;

export interface KeepAlive {
  /** Bytes came. */
  heard(): void;
  stop(): void;
}

/** Watches one connection; `ping` sends one, `onSilence` is called at most once. */
export function keepAlive(ping: () => void, onSilence: () => void): KeepAlive {
  let heardAt = performance.now();
  let pingedAt: number | null = null;

  const look = () => {
    const nowAt = performance.now();
    if (pingedAt !== null && nowAt - pingedAt >= SILENCE_MS) {
      clearInterval(timer);
      onSilence();
    } else if (pingedAt === null && nowAt - heardAt >= QUIET_MS) {
      pingedAt = nowAt;
      ping();
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    heard() {
      heardAt = performance.now();
      pingedAt = null;
    },
    stop: () => clearInterval(timer),
  };
}
