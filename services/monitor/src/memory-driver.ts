/** A driver whose hosts are names in memory, for tests. What is begun has happened one step later. */
import { type Driver, DriverError, type RunningHost } from "./driver.ts";

export class MemoryDriver implements Driver {
  readonly #hosts = new Map<string, RunningHost["state"]>();
  #failure: DriverError | null = null;
  starts = 0;
  stops = 0;
  /** Most hosts that were being started or stopped at the same time. */
  mostAtOnce = 0;

  async list(): Promise<readonly RunningHost[]> {
    if (this.#failure !== null) throw this.#failure;
    return this.hosts;
  }

  /** What there is, in the order of the names. */
  get hosts(): readonly RunningHost[] {
    return [...this.#hosts]
      .map(([name, state]) => ({ name, state }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async start(name: string): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#hosts.get(name) === "stopping") throw new DriverError(`${name} is being stopped`);
    if (this.#hosts.has(name)) return;
    this.#hosts.set(name, "starting");
    this.starts++;
    this.#count();
  }

  async stop(name: string): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (!this.#hosts.has(name)) return;
    this.#hosts.set(name, "stopping");
    this.stops++;
    this.#count();
  }

  /** From now on everything is refused, until it is called with null. */
  fails(error: DriverError | null): void {
    this.#failure = error;
  }

  /** What was begun is done. */
  goesOn(): void {
    for (const [name, state] of this.#hosts) {
      if (state === "stopping") this.#hosts.delete(name);
      else this.#hosts.set(name, "running");
    }
  }

  /** It ends without a word. */
  dies(name: string): void {
    this.#hosts.delete(name);
  }

  #count(): void {
    const moving = [...this.#hosts.values()].filter((state) => state !== "running").length;
    this.mostAtOnce = Math.max(this.mostAtOnce, moving);
  }
}
