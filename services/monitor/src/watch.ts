/** Looks after the lease, and takes office and leaves it by that. */
import { gauge, type Log } from "@tidings/runtime";
import type { Leadership } from "./leadership.ts";

/** How soon a lease that has run out is acted upon (milliseconds). */
const END_EVERY_MS = 500;

/** What is held while this monitor leads. */
export interface Held {
  leave(): Promise<void>;
}

export class Watch {
  readonly #leadership: Pick<Leadership, "look" | "leads" | "giveUp">;
  readonly #take: () => Promise<Held>;
  readonly #log: Log;
  #held: Held | null = null;
  #timers: readonly NodeJS.Timeout[] = [];
  #turn: Promise<void> = Promise.resolve();

  /** `take` takes office; it may reject, and is tried again. */
  constructor(
    leadership: Pick<Leadership, "look" | "leads" | "giveUp">,
    take: () => Promise<Held>,
    log: Log,
  ) {
    [this.#leadership, this.#take, this.#log] = [leadership, take, log];
    gauge("tidings_monitor_leads", "Whether this monitor leads.", () => Number(leadership.leads));
  }

  /** Looks now, and then every `everyMs`. Resolves after the first look. */
  async start(everyMs: number): Promise<void> {
    await this.look();
    this.#timers = [
      setInterval(() => void this.look(), everyMs),
      // A look may hang for as long as the table does; the time of the lease runs on.
      setInterval(() => this.#leadership.leads || void this.#leave(), END_EVERY_MS),
    ];
  }

  /** One look after the other. Never rejects. */
  look(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#log.warn({ err: error }, "office could not be taken or left; it is tried again");
      });
    return this.#turn;
  }

  /** Leaves the office, and lets another one have it at once. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#turn;
    await this.#leave();
    await this.#leadership.giveUp();
  }

  async #look(): Promise<void> {
    await this.#leadership.look();
    const { leads } = this.#leadership;
    if (leads && this.#held === null) this.#held = await this.#take();
    // The lease may have run out while office was taken.
    if (!this.#leadership.leads) await this.#leave();
  }

  async #leave(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    await held?.leave();
  }
}
