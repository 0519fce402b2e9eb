/**
 * How long the event loops of the services stand still. Loaded into each service by `--import`, this file notes it twice a
 * second in a file of the process; imported by the bench, it sets that up and reads what was noted.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { ProcessSpec } from "../run/supervised.ts";
import { type Figure, percentile } from "./figures.ts";

/** Path of the file that a process notes its delays in; its name is that of the process. */
const NOTES = "TIDINGS_BENCH_LOOP_DELAY";
const NOTE_EVERY_MS = 500;
/** The histogram counts its own resolution as delay (milliseconds). */
const RESOLUTION_MS = 5;
const NANOSECONDS = 1_000_000;

/** `spec` with its event loop watched, if it is a service of ours; the notes are in a folder of `home`. */
export function watched(spec: ProcessSpec, home: string): ProcessSpec {
  if (!spec.ipc) return spec;
  const folder = join(home, "loop-delay");
  mkdirSync(folder, { recursive: true });
  return {
    ...spec,
    args: ["--import", fileURLToPath(import.meta.url), ...spec.args],
    env: { ...spec.env, [NOTES]: join(folder, spec.name) },
  };
}

/** Longest delays of each half second since `sinceAt` (epoch milliseconds), by the name of the service (milliseconds). */
function loopDelays(home: string, sinceAt: number): Map<string, number[]> {
  const folder = join(home, "loop-delay");
  const delays = new Map<string, number[]>();
  for (const file of readdirSync(folder)) {
    const lines = readFileSync(join(folder, file), "utf8").trim().split("\n");
    const notes = lines.map((line) => line.split(" ").map(Number));
    delays.set(
      file,
      notes.filter(([at]) => (at ?? 0) > sinceAt).map(([, delayMs]) => delayMs ?? Number.NaN),
    );
  }
  return delays;
}

/** The longest of them as figures. */
export function loopDelayFigures(home: string, sinceAt: number): Figure[] {
  return [...loopDelays(home, sinceAt)].map(([name, delays]) => ({
    name: `longest event-loop delay of ${name}`,
    value: percentile(delays, 1),
    unit: "ms",
    beside: `median of the longest of each half second ${percentile(delays, 0.5).toFixed(0)} ms`,
  }));
}

function note(path: string): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const timer = setInterval(() => {
    const delayMs = Math.max(0, histogram.max / NANOSECONDS - RESOLUTION_MS);
    appendFileSync(path, `${Date.now()} ${delayMs.toFixed(1)}\n`);
    histogram.reset();
  }, NOTE_EVERY_MS);
  timer.unref();
}

const notes = process.env[NOTES];
if (notes !== undefined) note(notes);
