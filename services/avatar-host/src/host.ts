/**
 * The avatar host: owns shards and gives each stanza to the shard that it is for.
 */
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Bus } from "@tidings/bus";
import {
  addressesOf,
  busChild,
  CallError,
  type Element,
  FIRST_SILO,
  FREE,
  freeStanza,
  hostAddress,
  type Job,
  MAIL_PREFIX,
  PUSH_PREFIX,
  QUEUES,
  queueFor,
  REVOKED,
  shardNamed,
  splitJid,
} from "@tidings/protocol";
import type { Consumer, Queue } from "@tidings/queue";
import { Background, crashPoint, type Service, Turnstile } from "@tidings/runtime";
import { Leases, type Table } from "@tidings/store";
import type { Config } from "./config.ts";
import { loadOf, type ServedLoad } from "./load.ts";
import { Claims } from "./ownership/claims.ts";
import { probeDisk } from "./ownership/disk-probe.ts";
import { answerHandOver } from "./ownership/hand-over-call.ts";
import { HastyPreparations } from "./ownership/hasty-preparations.ts";
import { lockFolder } from "./ownership/host-name.ts";
import { Ownership } from "./ownership/ownership.ts";
import type { HostStep } from "./ownership/ownership-options.ts";
import { Preparations } from "./ownership/preparations.ts";
import { consumeResults } from "./results.ts";
import type { Avatar } from "./shard/avatar.ts";
import { AwakeAvatars } from "./shard/awake-avatars.ts";
import { Shard } from "./shard/shard.ts";
import { PushAvatar } from "./source-avatar/push-avatar.ts";
import { SourceAvatar } from "./source-avatar/source-avatar.ts";
import { StanzaRouter } from "./stanza-router.ts";
import { answerStatus, type HostStatus, statusOf } from "./status.ts";
import { UserAvatar } from "./user-avatar/user-avatar.ts";
import { WallClock } from "./wall-clock.ts";

const PASSIVATE_EVERY_MS = 10_000;
/** Longest checkpoint, and reading by the next owner, before a planned hand-over; the shard is served meanwhile (milliseconds). */
const PREPARE_MS = 3_000;
/** Longest wait for what was taken to become durable before a shard is given back (milliseconds). */
const DRAIN_MS = 5_000;
const MEGABYTE = 1_000_000;
/** How many shards read their journals back at a time: each has pages of a megabyte in memory, several times over. */
const OPENED_AT_ONCE = 4;

export interface HostOptions {
  readonly config: Config;
  readonly bus: Bus;
  readonly queue: Queue;
  readonly table: Table;
  /** The same table over connections of its own: a heartbeat must not wait in line behind the requests of 64 shards. */
  readonly leaseTable: Table;
  readonly service: Service;
}

interface Served {
  readonly shard: Shard;
  consumer: Consumer | null;
  /** Being given back: it is not claimed again. */
  isLeaving: boolean;
  /** The host that has read ahead for it, and so is to have it. */
  heir: string | null;
}

export class AvatarHost {
  readonly #options: HostOptions;
  readonly #addresses;
  readonly #address: string;
  readonly #served = new Map<number, Served>();
  /** Work of all shards that lets the sockets go first. */
  readonly #background = new Background();
  readonly #awake: AwakeAvatars;
  readonly #claims: Claims;
  readonly #ownership: Ownership;
  readonly #router: StanzaRouter;
  readonly #hasty: HastyPreparations;
  readonly #preparations: Preparations;
  readonly #passivation: NodeJS.Timeout;
  readonly #openings = new Turnstile(OPENED_AT_ONCE);
  readonly #unlock: () => void;

  constructor(options: HostOptions) {
    const { config, bus, table, leaseTable, service } = options;
    this.#options = options;
    this.#awake = new AwakeAvatars({
      idleMs: config.TIDINGS_AVATAR_IDLE_SECONDS * 1_000,
      mostBytes: config.TIDINGS_AVATARS_AWAKE_MB * MEGABYTE,
    });
    this.#addresses = addressesOf(config.TIDINGS_DOMAIN);
    this.#address = hostAddress(config.TIDINGS_DOMAIN, config.TIDINGS_HOST_NAME);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#unlock = lockFolder(this.#folder, config.TIDINGS_HOST_NAME);
    this.#claims = new Claims(bus, this.#address, this.#addresses.silo);
    this.#router = new StanzaRouter({
      addresses: this.#addresses,
      bus,
      log: service.log,
      shard: (number) => this.#shardTaking(number),
    });
    this.#ownership = new Ownership({
      leases: new Leases(leaseTable, FIRST_SILO),
      host: config.TIDINGS_HOST_NAME,
      place: `${hostname()}:${this.#folder}`,
      log: service.log,
      perform: (step, shard, epoch) => this.#perform(step, shard, epoch),
      onEnd: (reason) => service.fail(reason),
      floor: (shard) => this.#claims.floor(shard),
      awaited: () => this.#claims.awaited(),
      probe: () => probeDisk(this.#folder),
    });
    this.#preparations = new Preparations({
      bus,
      addresses: this.#addresses,
      domain: config.TIDINGS_DOMAIN,
      address: this.#address,
      table,
      silo: FIRST_SILO,
      log: service.log,
    });
    const handOvers = {
      bus,
      addresses: this.#addresses,
      log: service.log,
      handOver: (shard: number, to: string) => this.#ownership.handOver(shard, to),
    };
    bus.onStanza((stanza) => {
      if (answerStatus(stanza, bus, this.#addresses, () => this.status)) return;
      if (answerHandOver(stanza, handOvers) || this.#preparations.answer(stanza)) return;
      if (!this.#hearsOfOwnership(stanza)) this.#router.route(stanza);
    });
    this.#ownership.noteBus(bus.isOnline);
    bus.onOffline(() => this.#ownership.noteBus(false));
    bus.onOnline(() => {
      for (const { shard } of this.#served.values()) shard.agents.isOnline();
      this.#ownership.noteBus(true);
      void this.#claimAgain();
    });
    this.#hasty = new HastyPreparations(service.log, PREPARE_MS);
    const clocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
    const wallClock = new WallClock(clocks, service.log);
    this.#passivation = setInterval(() => {
      this.#awake.passivate(performance.now());
      wallClock.look();
    }, PASSIVATE_EVERY_MS);
  }

  /** Takes this host's share of the shards and resolves when they are served. */
  start(): Promise<void> {
    return this.#ownership.start();
  }

  /** Gives all shards back in order. */
  async stop(): Promise<void> {
    clearInterval(this.#passivation);
    await this.#ownership.stop();
    this.#unlock();
  }

  /** A shard that is being given back takes nothing more: calls are told to come again, the rest is sent again. */
  #shardTaking(number: number): Shard | undefined {
    const served = this.#served.get(number);
    return served === undefined || served.isLeaving ? undefined : served.shard;
  }

  /** What this host serves now. */
  get status(): HostStatus {
    const shards = [...this.#served.values()].map(({ shard }) => shard);
    return statusOf(shards, this.#awake.count);
  }

  /** The same and more, for the monitor. */
  get load(): ServedLoad {
    return loadOf(this.#ownership.inc, this.status, [...this.#served.values()]);
  }

  get #folder(): string {
    return join(this.#options.config.TIDINGS_HOME, "hosts", this.#options.config.TIDINGS_HOST_NAME);
  }

  async #perform(step: HostStep, number: number, epoch: number): Promise<void> {
    if (step === "open") return await this.#openings.pass(() => this.#open(number, epoch));
    const served = this.#served.get(number);
    switch (step) {
      case "claim":
        await this.#claims.step("claim", number, epoch);
        return crashPoint("claim.after");
      case "ready":
        return await this.#serve(number, epoch);
      case "checkpoint":
        return await this.#hasty.wait(
          served === undefined ? Promise.resolve() : this.#prepareRelease(served),
        );
      case "pause":
        return await this.#pause(number);
      case "drain":
        return await within(DRAIN_MS, "drain", served?.shard.drained());
      case "seal":
        return await served?.shard.release();
      case "abandon":
        return await this.#abandon(number);
      case "unclaim":
        return await this.#unclaim(number, epoch);
    }
  }

  async #open(number: number, epoch: number): Promise<void> {
    const { config, table, service } = this.#options;
    const shard = await Shard.open({
      table,
      silo: FIRST_SILO,
      host: config.TIDINGS_HOST_NAME,
      siloDomain: this.#addresses.silo,
      shard: number,
      epoch,
      path: join(this.#folder, `${FIRST_SILO}-${number}.db`),
      log: service.log,
      agents: this.#addresses,
      web: this.#addresses.web,
      awake: this.#awake,
      background: this.#background,
      prepared: this.#preparations.take(number),
      checkpointAfterMs: config.TIDINGS_CHECKPOINT_SECONDS * 1_000,
      send: (stanza) => this.#send(stanza),
      publishJob: (job) => void this.#publish(job),
      createAvatar: (localpart, made) => this.#createAvatar(localpart, made),
      assured: () => this.#ownership.assured(),
      onLost: (error) => service.fail(`shard ${number} was lost: ${error.message}`, { err: error, epoch }),
    });
    this.#served.set(number, { shard, consumer: null, isLeaving: false, heir: null });
  }

  async #serve(number: number, epoch: number): Promise<void> {
    const { queue, service } = this.#options;
    const served = this.#served.get(number);
    if (served === undefined) return;
    const { shard } = served;
    served.consumer = await consumeResults(queue, QUEUES.shard(FIRST_SILO, number), shard, service.log);
    await this.#claims.step("ready", number, epoch);
    crashPoint("ready.after");
    shard.serve();
    this.#router.announce(shard);
  }

  /** So that the next owner has little to read, and has read most of it before it needs it. */
  async #prepareRelease(served: Served): Promise<void> {
    const { shard } = served;
    const avatars = await shard.prepareRelease();
    if (avatars.length === 0) return;
    served.heir = this.#ownership.heirOf(shard.number);
    if (served.heir !== null) await this.#preparations.ask(served.heir, shard.number, avatars);
  }

  async #pause(number: number): Promise<void> {
    const served = this.#served.get(number);
    if (served === undefined) return;
    served.isLeaving = true;
    served.shard.pause();
    await Promise.resolve();
  }

  async #abandon(number: number): Promise<void> {
    const served = this.#served.get(number);
    if (served !== undefined) served.isLeaving = true;
    served?.shard.close();
  }

  /** A successor may have claimed the shard meanwhile: then there is nothing to give back. */
  async #unclaim(number: number, epoch: number): Promise<void> {
    const { bus, config, service } = this.#options;
    const served = this.#served.get(number);
    this.#served.delete(number);
    // It could not be opened, so it was never claimed.
    if (served === undefined) return;
    // Without a connection the router has forgotten the claim already, and the others look every second.
    if (!bus.isOnline) {
      await served.consumer?.cancel();
      return;
    }
    for (const name of this.#ownership.others) {
      const to = hostAddress(config.TIDINGS_DOMAIN, name);
      const heir = this.#ownership.promisedTo(number) ?? served.heir;
      const free = freeStanza(this.#address, to, number, heir);
      bus
        .send(free)
        .catch((error) => service.log.debug({ err: error, name }, "was not told of a free shard"));
    }
    await served.consumer?.cancel();
    try {
      await this.#claims.step("unclaim", number, epoch);
    } catch (error) {
      if (!(error instanceof CallError && error.condition === "conflict")) throw error;
    }
  }

  /** True when `stanza` was about who owns a shard. */
  #hearsOfOwnership(stanza: Element): boolean {
    const child = busChild(stanza);
    const from = splitJid(stanza.attrs.from ?? "");
    if (!stanza.is("message") || child === undefined) return false;
    if (child.name === FREE && from.domain.endsWith(`.hosts.${this.#addresses.avatars}`)) {
      const { for: heir, shard } = child.attrs;
      if (heir === undefined) this.#ownership.look();
      else if (heir === this.#options.config.TIDINGS_HOST_NAME) this.#ownership.look(Number(shard));
      return true;
    }
    if (child.name !== REVOKED || from.domain !== this.#addresses.silo) return false;
    const served = this.#served.get(shardNamed(from.local) ?? -1);
    if (served !== undefined && !served.isLeaving && Number(child.attrs.epoch) > served.shard.epoch)
      this.#options.service.fail(
        `another host has claimed shard ${from.local} of this one; it stood still too long`,
      );
    return true;
  }

  /** A host that cannot be sure of its shards says nothing; what is not confirmed is sent again. */
  #send(stanza: Element): void {
    const { bus, service } = this.#options;
    if (!this.#ownership.isSure) {
      service.log.debug("stanza was not sent: not sure of the shard");
      return;
    }
    void bus.send(stanza).catch((error) => service.log.warn({ err: error }, "stanza was not sent"));
  }

  /** After a break of the bus the router has forgotten this host: the same claims with the same epochs, again. */
  async #claimAgain(): Promise<void> {
    for (const [number, { shard, isLeaving }] of this.#served) {
      if (isLeaving || !this.#ownership.owned.has(number)) continue;
      try {
        await this.#claims.step("claim", number, shard.epoch);
        await this.#claims.step("ready", number, shard.epoch);
        shard.serve();
        this.#router.announce(shard);
      } catch (error) {
        if (error instanceof CallError && error.condition === "conflict") {
          this.#options.service.fail(`another host has claimed shard ${number} of this one`);
        } else this.#options.service.log.warn({ err: error, shard: number }, "shard was not claimed again");
      }
    }
  }

  #createAvatar(localpart: string, shard: Shard): Avatar {
    if (localpart.startsWith(PUSH_PREFIX) || localpart.startsWith(MAIL_PREFIX)) {
      const { web, inbound } = this.#addresses;
      return new PushAvatar({ silo: FIRST_SILO, askers: [web, inbound] });
    }
    if (!localpart.startsWith("rss.")) {
      const { agents, watchers } = shard;
      return new UserAvatar(this.#addresses, {
        epochOf: (channel) => agents.epochOf(channel),
        connection: () => agents.connection(),
        watch: (user, forMs) => watchers.watch(user, forMs),
      });
    }
    const minMs = this.#options.config.TIDINGS_POLL_MIN_SECONDS * 1_000;
    return new SourceAvatar({ silo: FIRST_SILO, pace: { minMs }, web: this.#addresses.web });
  }

  /** A job that is not published is put on its queue again by the source's alarm. */
  async #publish(job: Job): Promise<void> {
    try {
      crashPoint("job.publish.before");
      await this.#options.queue.publish(queueFor(job), JSON.stringify(job));
      crashPoint("job.publish.after");
    } catch (error) {
      this.#options.service.log.warn({ err: error, source: job.source }, "job was not published");
    }
  }
}

/** Rejects when `work` takes longer than `ms`. */
async function within(ms: number, what: string, work: Promise<void> = Promise.resolve()): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`the ${what} takes longer than ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
