/**
 * Keeps this host's heartbeat, carries out the rounds of {@link planRound}, and leads each shard through its tenure
 * (`packages/store/src/protocol/tenure.ts`).
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { counter, crashPoint, gauge } from "@tidings/runtime";
import { isAtRest, isRefusal, type Lease, nextStep, type TenureStep } from "@tidings/store";
import { Fitness } from "./fitness.ts";
import { giveInGroups } from "./give-in-groups.ts";
import { Heirs } from "./heirs.ts";
import { awaitFreeName } from "./host-name.ts";
import { NamedShards } from "./named-shards.ts";
import type { OwnershipOptions } from "./ownership-options.ts";
import { Patience } from "./patience.ts";
import {
  DEAD_AFTER_MS,
  livingHosts,
  type Observed,
  observe,
  type Plan,
  planRound,
  type Self,
  type View,
} from "./plan.ts";
import { type Clocks, Vigil } from "./vigil.ts";

const HEARTBEAT_MS = 3_000;
const ROUND_MS = 1_000;
/** While there are free shards to take, rounds follow each other faster (milliseconds). */
const BUSY_ROUND_MS = 50;

const TAKEN = counter(
  "tidings_shards_taken_total",
  "Shards taken, by who had them: nobody (free), this host in an earlier life (own), or a host that was silent (dead).",
  ["from"],
);

/** A shard cannot be given to that host by this one. `message` says why. */
export class HandOverError extends Error {
  override readonly name = "HandOverError";
}

interface Tenure {
  readonly epoch: number;
  readonly step: TenureStep;
}

export class Ownership {
  readonly #options: OwnershipOptions;
  /** Of this life of the host. */
  get inc(): string {
    return this.#me.inc;
  }

  readonly #me: { readonly host: string; readonly inc: string; readonly place: string };
  readonly #tenures = new Map<number, Tenure>();
  readonly #releases = new Set<Promise<void>>();
  readonly #clocks: Clocks;
  readonly #vigil: Vigil;
  readonly #named: NamedShards;
  #hosts: Observed[] = [];
  #beats = 0;
  #beating: Promise<void> | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #nextRound: NodeJS.Timeout | null = null;
  #round: Promise<boolean> | null = null;
  readonly #heirs = new Heirs();
  readonly #patience: Patience;
  readonly #fitness: Fitness;
  #isRunning = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#me = { host: options.host, inc: randomUUID(), place: options.place };
    this.#clocks = options.clocks ?? { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
    this.#named = new NamedShards(this.#clocks.monotonicMs);
    this.#vigil = new Vigil(this.#clocks, DEAD_AFTER_MS);
    this.#patience = new Patience(this.#clocks.monotonicMs);
    this.#fitness = new Fitness(this.#clocks.monotonicMs, options.probe ?? (() => {}));
    gauge("tidings_shards_owned", "Shards that this host serves.", () => this.owned.size);
  }

  /** Shards served now, with their epochs. */
  get owned(): ReadonlyMap<number, number> {
    const serving = [...this.#tenures].filter(([, { step }]) => step === "serving");
    return new Map(serving.map(([shard, { epoch }]) => [shard, epoch]));
  }

  /** The other hosts that live, as far as the last round has seen. */
  get others(): string[] {
    const view = { me: this.#me, hosts: this.#hosts, now: this.#clocks.monotonicMs() };
    return livingHosts(view).filter((host) => host !== this.#me.host);
  }

  /** False when so much time has passed that others may have taken this host for dead: nothing may be said then. */
  get isSure(): boolean {
    return this.#vigil.isSure;
  }

  /** Null while the host is sure of its shards; else resolves when it is again, and never when it is deposed. */
  assured(): Promise<void> | null {
    if (this.#vigil.isSure) return null;
    void this.#beat();
    return this.#vigil.untilSure();
  }

  /**
   * Sends the first heartbeat and resolves after the rounds in which this host took what was free for it. Rejects with
   * HostNameTakenError when another host lives under the name.
   */
  async start(): Promise<void> {
    const { leases } = this.#options;
    await awaitFreeName(leases, this.#me.host, this.#me.place);
    this.#isRunning = true;
    const sent = this.#vigil.now();
    await leases.enter({ ...this.#me, hb: 0, isAble: this.#isAble });
    this.#vigil.vouch(sent);
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    while (this.#isRunning && (await this.#runRound())) await pause(BUSY_ROUND_MS);
    this.#schedule(ROUND_MS);
  }

  /** Gives all shards back, says goodbye, and resolves. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    if (this.#nextRound !== null) clearTimeout(this.#nextRound);
    await this.#round;
    const { leases, log } = this.#options;
    // The others do not count this host any more, and so have room for what it gives.
    await this.#beating;
    await this.#beat();
    await giveInGroups([...this.owned.keys()], {
      give: (shard) => this.#release(shard),
      isTaken: async (shard) => (await leases.leases()).find((lease) => lease.shard === shard)?.owner != null,
      hasHeirs: this.#ableOthers.length > 0,
      monotonicMs: this.#clocks.monotonicMs,
    });
    await Promise.all(this.#releases);
    await leases
      .leave(this.#me.host, this.#me.inc)
      .catch((error) => log.warn({ err: error }, "others will find out by the heartbeat"));
  }

  /** A shard has become free: looks at once, not only at the next round. `offered` was given to this host by name. */
  look(offered: number | null = null): void {
    if (offered !== null) this.#named.offer(offered);
    // A round that is under way may have read the leases before: it is not the look that was asked for.
    void (this.#round ?? Promise.resolve(false)).then(() => this.#schedule(0));
  }

  /**
   * Gives `shard` to the host named `to` and resolves when it is free for it. Shares stay even: another shard comes back.
   * Rejects with {@link HandOverError} when this host does not serve the shard, or sees no living host of that name.
   */
  async handOver(shard: number, to: string): Promise<void> {
    if (!this.owned.has(shard)) throw new HandOverError(`${this.#me.host} does not serve shard ${shard}`);
    if (!this.others.includes(to))
      throw new HandOverError(
        `no other host named ${to} lives; there are ${this.others.join(", ") || "none"}`,
      );
    await this.#named.promise(shard, to, () => this.#release(shard));
  }

  /** The host to which `shard` is being given by name, or null. */
  promisedTo(shard: number): string | null {
    return this.#named.promisedTo(shard);
  }

  /** The host that is likely to have `shard` when this one has given it back; null when nobody else can serve. */
  heirOf(shard: number): string | null {
    return this.promisedTo(shard) ?? this.#heirs.choose(this.#ableOthers);
  }

  get #ableOthers(): string[] {
    return this.others.filter((name) => this.#hosts.find(({ host }) => host === name)?.isAble);
  }

  /** The connection to the bus came or went. The others hear of it at once, and not only with the next heartbeat. */
  noteBus(isOnline: boolean): void {
    this.#fitness.noteBus(isOnline);
    if (isOnline) this.#patience.forget();
    if (!this.#isRunning) return;
    void this.#beat();
    this.look();
  }

  get #isAble(): boolean {
    return this.#isRunning && this.#fitness.isFit && !this.#patience.isTried;
  }

  #self(now: number): Self {
    const { host, inc } = this.#me;
    return { host, inc, isAble: !this.#patience.isTried, unfitMs: this.#fitness.unfitMs(now) };
  }

  #schedule(delayMs: number): void {
    if (!this.#isRunning) return;
    if (this.#nextRound !== null) clearTimeout(this.#nextRound);
    this.#nextRound = setTimeout(async () => {
      const hasChanged = await this.#runRound();
      this.#schedule(hasChanged ? BUSY_ROUND_MS : ROUND_MS);
    }, delayMs);
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#sendBeat().finally(() => {
      this.#beating = null;
    });
    return this.#beating;
  }

  /** After a time in which others may have taken this host for dead it looks at its leases before it says anything. */
  async #sendBeat(): Promise<void> {
    const { leases, log, onEnd } = this.#options;
    const { host } = this.#me;
    try {
      this.#fitness.lookAtDisk();
      const sent = this.#vigil.now();
      const wasSure = this.#vigil.isSure;
      if (!(await leases.beat({ ...this.#me, hb: ++this.#beats, isAble: this.#isAble }))) {
        onEnd(
          `another avatar host runs under the name ${host}; set TIDINGS_HOST_NAME to another name for one of them`,
        );
        return;
      }
      const lost = wasSure ? null : this.#lostOf(await leases.leases());
      if (lost === null) this.#vigil.vouch(sent);
      else onEnd(`this host stood still too long, and shard ${lost} has another owner; start it again`);
    } catch (error) {
      this.#failed(error, "heartbeat failed");
      log.debug({ isSure: this.#vigil.isSure }, "heartbeat will be sent again");
    }
  }

  #lostOf(leases: readonly Lease[]): number | null {
    const taken = leases.find(({ shard, epoch }) => {
      const tenure = this.#tenures.get(shard);
      return tenure !== undefined && tenure.step !== "take" && epoch > tenure.epoch;
    });
    return taken?.shard ?? null;
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
      const now = this.#clocks.monotonicMs();
      this.#hosts = observe(this.#hosts, heartbeats, now);
      this.#heirs.note(held);
      const owned = new Set(this.owned.keys());
      this.#named.forgetWhatIsOver(owned);
      const busy = [...this.#tenures.keys(), ...this.#named.promised];
      const moving = new Set(busy.filter((shard) => !owned.has(shard)));
      const offered = new Set(this.#named.offered);
      const me = this.#self(now);
      const view = { me, leases: held, hosts: this.#hosts, owned, moving, offered, now };
      const plan = await this.#planRound(view);
      const illness = plan.release.length > 0 ? this.#fitness.news(now) : null;
      if (illness !== null) log.error(`giving the shards to hosts that can serve them: ${illness}`);
      await Promise.all(plan.clear.map(({ shard, epoch }) => leases.clear(shard, epoch)));
      for (const shard of plan.release) void this.#release(shard);
      const wanted = this.#mayTake() ? plan.take : [];
      const byShard = new Map(held.map((lease) => [lease.shard, lease]));
      const took = await Promise.all(wanted.map((shard) => this.#take(shard, byShard.get(shard))));
      return plan.release.length > 0 || took.some(Boolean);
    } catch (error) {
      this.#failed(error, "ownership round failed");
      return false;
    }
  }

  /** What somebody waits for is taken before what nobody does. */
  async #planRound(view: View): Promise<Plan> {
    const plan = planRound(view);
    const { awaited } = this.#options;
    if (plan.take.length < 2 || awaited === undefined) return plan;
    return planRound({ ...view, awaited: await awaited() });
  }

  /** After a shard could not be served: not before the pause is over, and not while what failed would fail again. */
  #mayTake(): boolean {
    if (this.#patience.isWaiting) return false;
    if (!this.#patience.isTried) return true;
    try {
      this.#options.probe?.();
      return true;
    } catch (error) {
      this.#couldNotServe(error);
      return false;
    }
  }

  #couldNotServe(error: unknown): void {
    const wasTried = this.#patience.isTried;
    const { pauseMs, isNews } = this.#patience.failed((error as Error).name);
    const { log } = this.#options;
    if (isNews) log.error({ err: error, pauseMs }, "shards cannot be served here, others may take them");
    else log.debug({ err: error, pauseMs }, "shards still cannot be served here");
    if (!wasTried) void this.#beat();
  }

  async #take(shard: number, lease: Lease | undefined): Promise<boolean> {
    const { leases, log, floor } = this.#options;
    if (!this.#isRunning) return false;
    this.#tenures.set(shard, { epoch: 0, step: "take" });
    try {
      const epoch = await leases.take(shard, lease, this.#me.host, this.#me.inc, floor(shard));
      if (epoch !== null) crashPoint("lease.take.after");
      await this.#goOn(shard, epoch ?? 0, nextStep("take", epoch === null ? "failed" : "done"));
    } catch (error) {
      this.#tenures.delete(shard);
      throw error;
    }
    const tenure = this.#tenures.get(shard);
    if (tenure === undefined) return false;
    const before = lease?.owner?.host ?? null;
    TAKEN.inc({ from: before === null ? "free" : before === this.#me.host ? "own" : "dead" });
    log.info({ shard, epoch: tenure.epoch, from: before }, "shard taken");
    return true;
  }

  /** Gives the shard back; resolves when it is free. */
  async #release(shard: number): Promise<void> {
    const tenure = this.#tenures.get(shard);
    if (tenure?.step !== "serving") return;
    crashPoint("release.before");
    const release = this.#goOn(shard, tenure.epoch, nextStep("serving", "done")).then(() => {
      this.#options.log.info({ shard, epoch: tenure.epoch }, "shard released");
      this.#releases.delete(release);
    });
    this.#releases.add(release);
    await release;
  }

  /** Leads the shard's tenure on from `from` until it comes to rest. */
  async #goOn(shard: number, epoch: number, from: TenureStep): Promise<void> {
    let step = from;
    while (!isAtRest(step)) {
      this.#tenures.set(shard, { epoch, step });
      step = nextStep(step, await this.#outcomeOf(step, shard, epoch));
    }
    if (step === "over") this.#tenures.delete(shard);
    else {
      this.#tenures.set(shard, { epoch, step });
      this.#patience.succeeded();
    }
  }

  async #outcomeOf(step: TenureStep, shard: number, epoch: number): Promise<"done" | "failed"> {
    const { leases, perform, log, onEnd } = this.#options;
    try {
      if (step === "clear") crashPoint("release.after");
      // Twice is like once, and for want of an answer nobody would have the shard until the next round.
      if (step === "clear") await leases.clear(shard, epoch).catch(() => leases.clear(shard, epoch));
      else if (step !== "take" && step !== "serving" && step !== "over") await perform(step, shard, epoch);
      return "done";
    } catch (error) {
      const isTaking = step === "open" || step === "claim" || step === "ready";
      if (isTaking && !isRefusal(error)) this.#couldNotServe(error);
      // A router that does not take claims does not take them back either, and that has been said.
      const isSaid = isTaking || (step === "unclaim" && this.#patience.isTried);
      const fields = { err: error, shard, epoch, step };
      if (isRefusal(error)) onEnd((error as Error).message);
      else if (isSaid) log.debug(fields, "a step of the shard's tenure failed");
      else log.warn(fields, "a step of the shard's tenure failed");
      return "failed";
    }
  }

  #failed(error: unknown, what: string): void {
    if (isRefusal(error)) this.#options.onEnd((error as Error).message);
    else this.#options.log.warn({ err: error }, what);
  }
}
