/** The most memory that each process has taken, looked at again and again: what is high for a second counts (I7). */
import type { Probe } from "./probe.ts";

const EVERY_MS = 500;

export class MemoryWatch {
  readonly #look: () => ReadonlyMap<string, number>;
  readonly #timer: NodeJS.Timeout;
  #peaks = new Map<string, number>();

  /** Watches `processes`, and the nodes of ejabberd, until it is closed. */
  constructor(probe: Probe, processes: readonly string[]) {
    this.#look = () => probe.memory(processes);
    this.#timer = setInterval(() => this.#see(), EVERY_MS);
  }

  /** The highest resident bytes of each process since the last call of {@link restart}. */
  get peaks(): ReadonlyMap<string, number> {
    this.#see();
    return this.#peaks;
  }

  /** Forgets what was. */
  restart(): void {
    this.#peaks = new Map();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #see(): void {
    for (const [process, bytes] of this.#look())
      this.#peaks.set(process, Math.max(bytes, this.#peaks.get(process) ?? 0));
  }
}
