/** What the monitor knows of the hosts: what each has said last, and when. Pure but for its memory. */
import { type HostLoad, type HostState, type HostView, LOAD_EVERY_MS } from "@tidings/protocol";
import type { RunningHost } from "./driver.ts";
import type { HostSample } from "./scaling.ts";

/** A host that has not been heard of for so long is not counted on (milliseconds). */
export const SILENT_MS = LOAD_EVERY_MS * 4;

interface Known {
  readonly load: HostLoad;
  readonly at: number;
}

export class Fleet {
  readonly #known = new Map<string, Known>();

  /** `name` has told of its load, or that it goes (null). */
  hears(name: string, load: HostLoad | null, nowAt: number): void {
    if (load === null) this.#known.delete(name);
    else this.#known.set(name, { load, at: nowAt });
  }

  /** Those that serve. */
  serving(nowAt: number): string[] {
    return [...this.#known].filter(([, { at }]) => nowAt - at < SILENT_MS).map(([name]) => name);
  }

  samples(nowAt: number): HostSample[] {
    return this.serving(nowAt).flatMap((name) => this.#known.get(name)?.load ?? []);
  }

  /** Since when `name` has not been heard of (epoch milliseconds); null when it has never been. */
  heardAt(name: string): number | null {
    return this.#known.get(name)?.at ?? null;
  }

  /** Forgets what ran before and does not any more, and what was heard of long ago and is not run by the driver. */
  forgetEnded(before: readonly RunningHost[], running: readonly RunningHost[], nowAt: number): void {
    const names = new Set(running.map(({ name }) => name));
    const ended = new Set(before.map(({ name }) => name)).difference(names);
    for (const [name, { at }] of this.#known)
      if (ended.has(name) || (!names.has(name) && nowAt - at >= SILENT_MS)) this.#known.delete(name);
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
