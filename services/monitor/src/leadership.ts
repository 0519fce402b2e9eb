/**
 * Which of the monitors leads, by a lease in the table that is watched on the own monotonic clock.
 *
 *     following ──the leader's stamp stood still for 10 s──▶ leading ──not renewed for 7 s, or another one leads──▶ following
 *         └──or it was given up─────────────────────────────┘
 *
 * A leader that cannot renew stops three seconds before another one may begin: no two act at a time, whatever their wall clocks
 * say (C. Gray, D. Cheriton: Leases, 1989).
 */
import { randomUUID } from "node:crypto";
import type { Log } from "@tidings/runtime";
import type { MonitorRows } from "@tidings/store";

export const RENEW_EVERY_MS = 2_000;
/** A leader whose last renewal was begun so long ago leads no more. */
const SURE_MS = 7_000;
/** A stamp that has stood still for so long is a dead leader's. */
const DEAD_AFTER_MS = 10_000;

/** The stamp that a leader leaves who goes by itself. */
const GIVEN_UP = "given up";

export interface LeadershipOptions {
  readonly rows: Pick<MonitorRows, "leader" | "lead">;
  /** The name of this monitor, for people. */
  readonly name: string;
  /** The own monotonic clock (milliseconds). */
  readonly nowMs: () => number;
  readonly log: Log;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #life = randomUUID();
  #renewals = 0;
  /** The stamp by which this monitor leads; null: it follows. */
  #own: string | null = null;
  #sureUntilMs = 0;
  #seen: { readonly stamp: string | null; readonly sinceMs: number } | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Whether this monitor may act now. */
  get leads(): boolean {
    return this.#own !== null && this.#options.nowMs() < this.#sureUntilMs;
  }

  /** Renews the lease, or looks whether it is free; to be called every {@link RENEW_EVERY_MS}. Never rejects. */
  async look(): Promise<void> {
    const { log } = this.#options;
    try {
      if (this.#own === null) await this.#watch();
      else await this.#renew(this.#own);
    } catch (error) {
      log.warn({ err: error, leads: this.leads }, "the lease of the monitors cannot be read or renewed");
    }
    if (this.#own !== null && !this.leads) this.#steps("this monitor could not renew its lease in time");
  }

  /** Gives the lease back, so that another one need not wait. Never rejects. */
  async giveUp(): Promise<void> {
    const own = this.#own;
    this.#own = null;
    if (own === null) return;
    await this.#options.rows.lead(own, GIVEN_UP).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, "the lease of the monitors was not given back");
    });
  }

  async #renew(before: string): Promise<void> {
    const sentMs = this.#options.nowMs();
    const stamp = this.#nextStamp();
    if (!(await this.#options.rows.lead(before, stamp))) {
      // The write before may have arrived although nobody said so.
      const found = await this.#options.rows.leader();
      if (found === null || !found.startsWith(this.#life)) return this.#steps("another monitor leads");
      this.#own = found;
      return;
    }
    [this.#own, this.#sureUntilMs] = [stamp, sentMs + SURE_MS];
  }

  async #watch(): Promise<void> {
    const { rows, nowMs, log, name } = this.#options;
    const stamp = await rows.leader();
    const sentMs = nowMs();
    if (this.#seen === null || this.#seen.stamp !== stamp) this.#seen = { stamp, sinceMs: sentMs };
    // Where nobody leads there is nobody to wait for.
    if (stamp !== null && stamp !== GIVEN_UP && sentMs - this.#seen.sinceMs < DEAD_AFTER_MS) return;
    const own = this.#nextStamp();
    if (!(await rows.lead(stamp, own))) return;
    [this.#own, this.#sureUntilMs] = [own, sentMs + SURE_MS];
    log.info({ monitor: name }, "this monitor leads now");
  }

  #steps(why: string): void {
    [this.#own, this.#seen] = [null, null];
    this.#options.log.warn({ monitor: this.#options.name, why }, "this monitor follows now");
  }

  #nextStamp(): string {
    this.#renewals += 1;
    return `${this.#life} ${this.#renewals}`;
  }
}
