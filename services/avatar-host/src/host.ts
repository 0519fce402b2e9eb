/**
 * The avatar host: owns shards and gives each stanza to the shard that it is for.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Bus } from "@tidings/bus";
import {
  addressesOf,
  CallError,
  claimStanza,
  FIRST_SILO,
  hostAddress,
  type PollJob,
  QUEUES,
} from "@tidings/protocol";
import type { Consumer, Queue } from "@tidings/queue";
import { crashPoint, type Service } from "@tidings/runtime";
import { Leases, type Table } from "@tidings/store";
import type { Config } from "./config.ts";
import { Ownership } from "./ownership/ownership.ts";
import { consumeResults } from "./results.ts";
import type { Avatar } from "./shard/avatar.ts";
import { Shard } from "./shard/shard.ts";
import { SourceAvatar } from "./source-avatar/source-avatar.ts";
import { StanzaRouter } from "./stanza-router.ts";
import { answerStatus, type HostStatus } from "./status.ts";
import { UserAvatar } from "./user-avatar/user-avatar.ts";

const PASSIVATE_EVERY_MS = 10_000;

export interface HostOptions {
  readonly config: Config;
  readonly bus: Bus;
  readonly queue: Queue;
  readonly table: Table;
  readonly service: Service;
}

interface Served {
  readonly shard: Shard;
  readonly consumer: Consumer;
}

export class AvatarHost {
  readonly #options: HostOptions;
  readonly #addresses;
  readonly #address: string;
  readonly #served = new Map<number, Served>();
  readonly #floors = new Map<number, number>();
  readonly #ownership: Ownership;
  readonly #router: StanzaRouter;
  readonly #passivation: NodeJS.Timeout;

  constructor(options: HostOptions) {
    const { config, bus, table, service } = options;
    this.#options = options;
    this.#addresses = addressesOf(config.TIDINGS_DOMAIN);
    this.#address = hostAddress(config.TIDINGS_DOMAIN, config.TIDINGS_HOST_NAME);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#router = new StanzaRouter({
      addresses: this.#addresses,
      bus,
      log: service.log,
      shard: (number) => this.#served.get(number)?.shard,
    });
    this.#ownership = new Ownership({
      leases: new Leases(table, FIRST_SILO),
      host: config.TIDINGS_HOST_NAME,
      log: service.log,
      open: (shard, epoch) => this.#open(shard, epoch),
      release: (shard) => this.#release(shard),
      onDeposed: (reason) => service.fail(reason),
      floor: (shard) => this.#floors.get(shard) ?? 0,
    });
    bus.onStanza((stanza) => {
      if (!answerStatus(stanza, bus, this.#addresses, () => this.status)) this.#router.route(stanza);
    });
    bus.onOnline(() => void this.#claimAgain());
    this.#passivation = setInterval(() => this.#passivate(), PASSIVATE_EVERY_MS);
  }

  /** Takes this host's share of the shards and resolves when they are served. */
  start(): Promise<void> {
    return this.#ownership.start();
  }

  /** Gives all shards back in order. */
  async stop(): Promise<void> {
    clearInterval(this.#passivation);
    await this.#ownership.stop();
  }

  /** What this host serves now. */
  get status(): HostStatus {
    const shards = [...this.#served.values()].map(({ shard }) => shard);
    const sum = (figure: (shard: Shard) => number) =>
      shards.reduce((total, shard) => total + figure(shard), 0);
    return {
      shards: shards.length,
      awakeAvatars: sum((shard) => shard.awakeAvatars),
      framesWaiting: sum((shard) => shard.framesWaiting),
    };
  }

  get #folder(): string {
    return join(this.#options.config.TIDINGS_HOME, "hosts", this.#options.config.TIDINGS_HOST_NAME);
  }

  async #open(number: number, epoch: number): Promise<void> {
    const { config, table, queue, bus, service } = this.#options;
    const shard = await Shard.open({
      table,
      silo: FIRST_SILO,
      siloDomain: this.#addresses.silo,
      shard: number,
      epoch,
      path: join(this.#folder, `${FIRST_SILO}-${number}.db`),
      log: service.log,
      agent: this.#addresses.im,
      idleMs: config.TIDINGS_AVATAR_IDLE_SECONDS * 1_000,
      send: (stanza) =>
        void bus.send(stanza).catch((error) => service.log.warn({ err: error }, "stanza was not sent")),
      publishJob: (job) => void this.#publish(job),
      createAvatar: (localpart, made) => this.#createAvatar(localpart, made),
      onLost: (error) => service.fail("a shard was lost", { err: error, shard: number, epoch }),
    });
    try {
      await this.#claim("claim", number, epoch);
      crashPoint("claim.after");
      const consumer = await consumeResults(queue, QUEUES.shard(FIRST_SILO, number), shard, service.log);
      this.#served.set(number, { shard, consumer });
      await this.#claim("ready", number, epoch);
      crashPoint("ready.after");
    } catch (error) {
      this.#served.delete(number);
      shard.close();
      throw error;
    }
    shard.serve();
    this.#router.announce(shard);
  }

  async #release(number: number): Promise<void> {
    const served = this.#served.get(number);
    if (served === undefined) return;
    await served.consumer.cancel();
    await this.#claim("unclaim", number, served.shard.epoch).catch((error) =>
      this.#options.service.log.warn({ err: error, shard: number }, "claim was not given back"),
    );
    this.#served.delete(number);
    await served.shard.release();
  }

  /** After a break of the bus the router has forgotten this host: the same claims with the same epochs, again. */
  async #claimAgain(): Promise<void> {
    for (const [number, { shard }] of this.#served) {
      try {
        await this.#claim("claim", number, shard.epoch);
        await this.#claim("ready", number, shard.epoch);
        shard.serve();
        this.#router.announce(shard);
      } catch (error) {
        if (error instanceof CallError && error.condition === "conflict") {
          this.#options.service.fail("another host has claimed a shard of this one", {
            shard: number,
            epoch: shard.epoch,
          });
        } else this.#options.service.log.warn({ err: error, shard: number }, "shard was not claimed again");
      }
    }
  }

  /** A claim that the router refuses as stale tells how high the next one has to be. */
  async #claim(step: "claim" | "ready" | "unclaim", number: number, epoch: number): Promise<void> {
    try {
      await this.#options.bus.request(claimStanza(step, this.#address, this.#addresses.silo, number, epoch));
    } catch (error) {
      const stale = /epoch (\d+)/.exec(
        error instanceof CallError && error.condition === "conflict" ? error.message : "",
      );
      if (stale !== null) this.#floors.set(number, Number(stale[1]));
      throw error;
    }
  }

  #createAvatar(localpart: string, shard: Shard): Avatar {
    if (!localpart.startsWith("rss.")) return new UserAvatar(this.#addresses, () => shard.agentEpoch);
    const minMs = this.#options.config.TIDINGS_POLL_MIN_SECONDS * 1_000;
    return new SourceAvatar({ silo: FIRST_SILO, pace: { minMs } });
  }

  /** A job that is not published is put on the queue again by the source's alarm. */
  async #publish(job: PollJob): Promise<void> {
    try {
      crashPoint("job.publish.before");
      await this.#options.queue.publish(QUEUES.poll, JSON.stringify(job));
      crashPoint("job.publish.after");
    } catch (error) {
      this.#options.service.log.warn({ err: error, source: job.source }, "poll job was not published");
    }
  }

  #passivate(): void {
    for (const { shard } of this.#served.values()) shard.passivate(Date.now());
  }
}
