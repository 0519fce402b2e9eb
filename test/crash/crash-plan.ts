/** What makes a process pass a crash point: most are passed all the time, some only when shards change hands. Pure. */
import type { CrashPoint } from "@tidings/runtime";

/** Passed only when shards are given back in order. */
const OF_A_RELEASE: ReadonlySet<CrashPoint> = new Set(["release.before", "release.after"]);
/** Passed only when a host takes shards. */
const OF_A_TAKEOVER: ReadonlySet<CrashPoint> = new Set([
  "lease.take.after",
  "fence.after",
  "claim.after",
  "ready.after",
]);

/** What has to be done to the process that is to pass `point`; null when the load alone makes it pass. */
export function provocationOf(point: CrashPoint): "stop" | "kill" | null {
  if (OF_A_RELEASE.has(point)) return "stop";
  return OF_A_TAKEOVER.has(point) ? "kill" : null;
}
