import { DAYS, type Digest, durationMs } from "@tidings/protocol";
import { dateAt, isOn, timeOn } from "./local-time.ts";
import { memoised } from "./memoised.ts";

const DEFAULT_MOST = 50;

export interface DigestPlan {
  /** The first time after `at` at which the digest goes out, epoch milliseconds. */
  readonly nextAfter: (at: number) => number;
  /** Most notifications in one. */
  readonly most: number;
}

/** When the digests of `digest` go out. */
export function compileDigest(digest: Digest, zone: string): DigestPlan {
  const most = digest.most ?? DEFAULT_MOST;
  const everyMs = digest.every === undefined ? null : durationMs(digest.every);
  if (everyMs !== null) return { most, nextAfter: (at) => (Math.floor(at / everyMs) + 1) * everyMs };
  const nextAfter = memoised((at: number) => {
    const nextAt = nextTimeOfDay(digest, zone, at);
    return { value: nextAt, untilAt: nextAt };
  });
  return { most, nextAfter };
}

/** A time that the clock shows twice is the first of the two; one that it skips comes after the skip. */
function nextTimeOfDay(
  { at: timeOfDay = "00:00", days = [...DAYS] }: Digest,
  zone: string,
  afterAt: number,
): number {
  const wanted = new Set(days);
  const today = dateAt(zone, afterAt);
  for (let offset = 0; offset <= 8; offset++) {
    const date = today.add({ days: offset });
    const at = timeOn(date, timeOfDay, zone, "compatible");
    if (at > afterAt && isOn(date, wanted)) return at;
  }
  throw new Error(`no day of ${days.join(", ")} within a week after ${afterAt}`);
}
