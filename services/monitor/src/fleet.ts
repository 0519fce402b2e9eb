/** What the monitor knows of the hosts: what each has said last, and when. Pure but for its memory. */
import { type HostLoad, type HostState, type HostView, LOAD_EVERY_MS } from "@tidings/protocol";
import type { RunningHost } from "./driver.ts";

/** A host that has not been heard of for so long is not counted on (milliseconds). */
export const SILENT_MS = LOAD_EVERY_MS * 4;

interface Known {
  readonly load: HostLoad;
  readonly at: number;
}

export class Fleet {
  readonly #known = new Map<string, Known>();
  /** What the driver has listed last. */
  #listed: ReadonlySet<string> = new Set();
  /** Since when hosts run, as far as has been seen (epoch milliseconds). */
  #runsSince: ReadonlyMap<string, number> = new Map();

  /** `name` has told of its load, or that it goes (null). */
  hears(name: string, load: HostLoad | null, nowAt: number): void {
    if (load === null) this.#known.delete(name);
    else this.#known.set(name, { load, at: nowAt });
  }

  /** Those that serve. */
  serving(nowAt: number): string[] {
    return [...this.#known].filter(([, { at }]) => nowAt - at < SILENT_MS).map(([name]) => name);
  }

  samples(nowAt: number): HostLoad[] {
    return this.serving(nowAt).flatMap((name) => this.#known.get(name)?.load ?? []);
  }

  /** Since when `name` has run and said nothing (epoch milliseconds); null when it does not run. */
  silentSince(name: string): number | null {
    const runsSince = this.#runsSince.get(name);
    return runsSince === undefined ? null : Math.max(runsSince, this.#known.get(name)?.at ?? 0);
  }

  /** The driver lists `running` at `nowAt`. Forgets what has ended, and what was heard of long ago and is not run by the driver. */
  runs(running: readonly RunningHost[], nowAt: number): void {
    const names = new Set(running.map(({ name }) => name));
    const ended = this.#listed.difference(names);
    for (const [name, { at }] of this.#known)
      if (ended.has(name) || (!names.has(name) && nowAt - at >= SILENT_MS)) this.#known.delete(name);
    this.#listed = names;
    const before = this.#runsSince;
    const up = running.filter(({ state }) => state === "running");
    this.#runsSince = new Map(up.map(({ name }) => [name, before.get(name) ?? nowAt]));
  }

  /** All that run or have been heard of, in the order of their numbers. */
  view(running: readonly RunningHost[], nowAt: number): HostView[] {
    const names = new Set([...running.map(({ name }) => name), ...this.#known.keys()]);
    return [...names].sort(byNumber).map((id) => {
      const known = this.#known.get(id);
      const state = stateOf(
        running.find(({ name }) => name === id),
        known,
        nowAt,
      );
      return { id, state, seenAt: known?.at ?? null, load: known?.load ?? null };
    });
  }
}

/** h2 before h10. */
export function byNumber(a: string, b: string): number {
  return Number(a.slice(1)) - Number(b.slice(1));
}

function stateOf(running: RunningHost | undefined, known: Known | undefined, nowAt: number): HostState {
  if (running?.state === "stopping") return "stopping";
  if (known !== undefined && nowAt - known.at < SILENT_MS) return "serving";
  return running?.state === "starting" || known === undefined ? "starting" : "silent";
}
