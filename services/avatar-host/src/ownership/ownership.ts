/**
 * Keeps this host's heartbeat and carries out the rounds of {@link planRound}.
 *
 *     free ──lease taken, journal fenced, claimed, ready──▶ owned ──released, or the host is deposed──▶ free
 */
import { randomUUID } from "node:crypto";
import { crashPoint, type Log } from "@tidings/runtime";
import type { Lease, Leases } from "@tidings/store";
import { type Observed, observe, planRound } from "./plan.ts";

const HEARTBEAT_MS = 3_000;
const ROUND_MS = 1_000;
/** While there are free shards to take, rounds follow each other faster (milliseconds). */
const BUSY_ROUND_MS = 50;

export interface OwnershipOptions {
  readonly leases: Leases;
  readonly host: string;
  readonly log: Log;
  /** Opens and serves a shard with the epoch that was taken for it. */
  readonly open: (shard: number, epoch: number) => Promise<void>;
  /** Stops serving a shard and finishes its work. */
  readonly release: (shard: number) => Promise<void>;
  /** Another process runs under this host's name: this one must end. */
  readonly onDeposed: (reason: string) => void;
  /** The epoch above which a claim on the shard has to be, as far as the bus has said. */
  readonly floor: (shard: number) => number;
}

export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #me: { readonly host: string; readonly inc: string };
  readonly #owned = new Map<number, number>();
  #hosts: Observed[] = [];
  #beats = 0;
  #timers: NodeJS.Timeout[] = [];
  #round: Promise<boolean> | null = null;
  #isRunning = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#me = { host: options.host, inc: randomUUID() };
  }

  /** Shards owned now, with their epochs. */
  get owned(): ReadonlyMap<number, number> {
    return this.#owned;
  }

  /** Sends the first heartbeat and resolves after the rounds in which this host took what was free for it. */
  async start(): Promise<void> {
    this.#isRunning = true;
    await this.#options.leases.enter({ ...this.#me, hb: 0 });
    this.#timers.push(setInterval(() => void this.#beat(), HEARTBEAT_MS));
    while (this.#isRunning && (await this.#runRound())) await pause(BUSY_ROUND_MS);
    this.#schedule(ROUND_MS);
  }

  /** Gives all shards back, says goodbye, and resolves. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#round;
    await Promise.all([...this.#owned.keys()].map((shard) => this.#release(shard)));
    await this.#options.leases.leave(this.#me.host);
  }

  #schedule(delayMs: number): void {
    if (!this.#isRunning) return;
    const timer = setTimeout(async () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#schedule((await this.#runRound()) ? BUSY_ROUND_MS : ROUND_MS);
    }, delayMs);
    this.#timers.push(timer);
  }

  async #beat(): Promise<void> {
    try {
      const isMine = await this.#options.leases.beat({ ...this.#me, hb: ++this.#beats });
      if (!isMine)
        this.#options.onDeposed(
          `another avatar host runs under the name ${this.#me.host}; give each a name of its own`,
        );
    } catch (error) {
      this.#options.log.warn({ err: error }, "heartbeat failed");
    }
  }

  /** One round; true when it changed something, so that there may be more to do. */
  #runRound(): Promise<boolean> {
    this.#round ??= this.#carryOut().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async #carryOut(): Promise<boolean> {
    const { leases, log } = this.#options;
    try {
      const [held, heartbeats] = await Promise.all([leases.leases(), leases.heartbeats()]);
      const now = performance.now();
      this.#hosts = observe(this.#hosts, heartbeats, now);
      const owned = new Set(this.#owned.keys());
      const plan = planRound({ me: this.#me, leases: held, hosts: this.#hosts, owned, now });
      await Promise.all(plan.release.map((shard) => this.#release(shard)));
      const took = await Promise.all(
        plan.take.map((shard) =>
          this.#take(
            shard,
            held.find((lease) => lease.shard === shard),
          ),
        ),
      );
      return plan.release.length > 0 || took.some(Boolean);
    } catch (error) {
      log.warn({ err: error }, "ownership round failed");
      return false;
    }
  }

  async #take(shard: number, lease: Lease | undefined): Promise<boolean> {
    const { leases, log, open, floor } = this.#options;
    if (!this.#isRunning) return false;
    const epoch = await leases.take(shard, lease, this.#me.host, this.#me.inc, floor(shard));
    if (epoch === null) return false;
    crashPoint("lease.take.after");
    try {
      await open(shard, epoch);
      this.#owned.set(shard, epoch);
      log.info({ shard, epoch, from: lease?.owner?.host ?? null }, "shard taken");
      return true;
    } catch (error) {
      log.warn({ err: error, shard, epoch }, "shard could not be opened");
      await leases.clear(shard, epoch);
      return false;
    }
  }

  async #release(shard: number): Promise<void> {
    const epoch = this.#owned.get(shard);
    if (epoch === undefined) return;
    this.#owned.delete(shard);
    try {
      crashPoint("release.before");
      await this.#options.release(shard);
      crashPoint("release.after");
      await this.#options.leases.clear(shard, epoch);
      this.#options.log.info({ shard, epoch }, "shard released");
    } catch (error) {
      this.#options.log.warn({ err: error, shard, epoch }, "shard was not released in order");
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
