/**
 * Named places at which a process can be ordered to die, for the crash suite. Without TIDINGS_CRASH_POINTS there are none:
 * `crashPoint` is then an empty function. With it, the variable names this process's own folder of orders:
 *
 *     <folder>/<point>   an order: the number of times that the point is passed before the process dies there (0 = next time)
 *     <folder>/hits      a line for each order that was carried out
 *
 *     passed ──order found──▶ counted down ──0──▶ order removed, hit noted ──▶ SIGKILL, nothing is cleaned up
 */
import { appendFileSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";

export const CRASH_POINTS = [
  "lease.take.after",
  "fence.after",
  "claim.after",
  "ready.after",
  "release.before",
  "release.after",
  "journal.put.before",
  "journal.put.after",
  "journal.trim.after",
  "file.flush.before",
  "file.flush.after",
  "checkpoint.rows.after",
  "checkpoint.advance.after",
  "frame.send.before",
  "frame.apply.before",
  "frame.ack.before",
  "frame.ack.after",
  "result.ack.before",
  "result.ack.after",
  "job.publish.before",
  "job.publish.after",
  "dispatch.send.before",
  "dispatch.send.after",
  "ingest.fetch.after",
  "ingest.publish.after",
  "ingest.ack.after",
  "agent.message.before",
  "agent.message.after",
  "agent.report.before",
  "agent.report.after",
  "web.call.after",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** The file of hits in a folder of orders. */
export const CRASH_HITS = "hits";

/** Orders are looked for at most this often, so that passing a point costs no look at the disk (milliseconds). */
const LOOK_EVERY_MS = 20;

/** Passes the point `name`; returns, unless there is an order to die here. */
export const crashPoint: (name: CrashPoint) => void = pointsIn(process.env.TIDINGS_CRASH_POINTS);

function pointsIn(folder: string | undefined): (name: CrashPoint) => void {
  if (folder === undefined || folder === "") return () => {};
  const passesLeft = new Map<string, number>();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return (name) => {
    const nowMs = performance.now();
    if (nowMs - lookedAtMs >= LOOK_EVERY_MS) {
      lookedAtMs = nowMs;
      readOrders(folder, passesLeft);
    }
    const left = passesLeft.get(name);
    if (left === undefined) return;
    passesLeft.set(name, left - 1);
    if (left <= 0) die(folder, name);
  };
}

/** Adds orders that are new to `passesLeft`, and takes out those that were withdrawn. */
function readOrders(folder: string, passesLeft: Map<string, number>): void {
  const ordered = new Set(readdirSync(folder).filter((name) => name !== CRASH_HITS));
  for (const name of passesLeft.keys()) if (!ordered.has(name)) passesLeft.delete(name);
  for (const name of ordered) {
    if (!passesLeft.has(name)) passesLeft.set(name, Number(readFileSync(join(folder, name), "utf8")));
  }
}

/** The order goes first: a process that is started again must not find it. */
function die(folder: string, name: CrashPoint): void {
  unlinkSync(join(folder, name));
  appendFileSync(join(folder, CRASH_HITS), `${name}\n`);
  process.kill(process.pid, "SIGKILL");
}
