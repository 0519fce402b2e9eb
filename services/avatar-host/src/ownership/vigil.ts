/**
 * Whether this host can still be sure that nobody has taken it for dead.
 *
 *     sure ──10 s without an accepted heartbeat──▶ unsure ──heartbeat accepted, leases looked at──▶ sure
 *
 * Others take a host's shards when its heartbeat has stood still for 10 s of their clocks. So for 10 s after an accepted
 * heartbeat was sent nobody can have, and a process that was stopped finds at its first look at the clock that more time
 * has passed: it says nothing until it knows that its shards are still its own. The monotonic clock stands still while the
 * whole machine sleeps, so the wall clock is looked at as well; one that was set forward costs one look at the leases.
 */
export interface Clocks {
  /** Milliseconds; only ever forward, with the passage of time. */
  readonly monotonicMs: () => number;
  /** Epoch milliseconds; may be set. */
  readonly wallMs: () => number;
}

export interface Instant {
  readonly monotonicMs: number;
  readonly wallAt: number;
}

export class Vigil {
  readonly #clocks: Clocks;
  readonly #sureForMs: number;
  #sureSince: Instant;
  #waiting: (() => void)[] = [];

  /** Sure from now on, for `sureForMs`. */
  constructor(clocks: Clocks, sureForMs: number) {
    this.#clocks = clocks;
    this.#sureForMs = sureForMs;
    this.#sureSince = this.now();
  }

  now(): Instant {
    return { monotonicMs: this.#clocks.monotonicMs(), wallAt: this.#clocks.wallMs() };
  }

  get isSure(): boolean {
    const { monotonicMs, wallAt } = this.now();
    const passedMs = Math.max(monotonicMs - this.#sureSince.monotonicMs, wallAt - this.#sureSince.wallAt);
    return passedMs < this.#sureForMs;
  }

  /** A heartbeat that was sent at `sent` was accepted, and the shards are still the host's own. */
  vouch(sent: Instant): void {
    this.#sureSince = sent;
    if (!this.isSure) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when the host is sure again; never when it is deposed. */
  untilSure(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
