/** Looks again and again how much memory the processes of an installation have. */
import { usesOf } from "./processes.ts";

export interface MemorySample {
  /** Since the watch began (milliseconds). */
  readonly atMs: number;
  readonly rssBytes: number;
}

const EVERY_MS = 1_000;
/** Growth below this is what a garbage collector does between two of its rounds (bytes in a minute). */
const NOISE_BYTES = 5_000_000;
const MINUTE_MS = 60_000;

export class MemoryWatch {
  readonly #samples = new Map<string, MemorySample[]>();
  readonly #timer: NodeJS.Timeout;

  /** Watches the processes of the installation in `home`, once a second. */
  constructor(home: string) {
    const startedAt = performance.now();
    this.#timer = setInterval(() => {
      for (const { name, pid, rssBytes } of usesOf(home)) {
        const known = this.#samples.get(`${name} (${pid})`) ?? [];
        this.#samples.set(`${name} (${pid})`, known);
        known.push({ atMs: performance.now() - startedAt, rssBytes });
      }
    }, EVERY_MS);
  }

  /** Ends it; the samples of each process, in the order of time. */
  stop(): ReadonlyMap<string, readonly MemorySample[]> {
    clearInterval(this.#timer);
    return this.#samples;
  }
}

/** Whether memory grows, by the straight line that fits the samples best, in words. */
export function growthOf(samples: readonly MemorySample[]): string {
  const bytes = slopeOf(samples) * MINUTE_MS;
  const inWords = `${bytes < 0 ? "−" : "+"}${(Math.abs(bytes) / 1e6).toFixed(1)} MB a minute`;
  return Math.abs(bytes) < NOISE_BYTES
    ? `steady (${inWords})`
    : `${bytes < 0 ? "falls" : "grows"} (${inWords})`;
}

function slopeOf(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanAt = mean(samples.map(({ atMs }) => atMs));
  const meanBytes = mean(samples.map(({ rssBytes }) => rssBytes));
  let [together, alone] = [0, 0];
  for (const { atMs, rssBytes } of samples) {
    together += (atMs - meanAt) * (rssBytes - meanBytes);
    alone += (atMs - meanAt) ** 2;
  }
  return alone === 0 ? 0 : together / alone;
}
