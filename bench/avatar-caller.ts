/** Calls avatars as web-api does, and asks hosts and the router how they are. */
import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@tidings/bus";
import {
  addressesOf,
  type CallArgs,
  CallError,
  type CallResult,
  COUNTERS,
  callStanza,
  countersStanza,
  handOverStanza,
  hostAddress,
  NS_BUS,
  NS_JSON,
  payload,
  SHARDS,
  xml,
} from "@tidings/protocol";
import type { Stack } from "../run/stack.ts";
import { component } from "./raw-limits.ts";

export interface HostStatus {
  readonly shards: number;
  readonly awakeAvatars: number;
  readonly framesWaiting: number;
}

export interface ShardState {
  readonly shard: number;
  readonly state: "unowned" | "claimed" | "serving";
  readonly host: string | null;
}

const STATUS_EVERY_MS = 3;
/** A host that is overloaded finishes what it has begun first. */
const HAND_OVER_WITHIN_MS = 30_000;
const SETTLED_EVERY_MS = 100;
const SETTLED_WITHIN_MS = 60_000;
const NEWEST = { limit: 1, cursor: null, source: null, q: null, state: null };

export class AvatarCaller {
  readonly bus: Bus;
  readonly #domain: string;
  readonly #sessionOf: (user: string) => string;

  /** Connects as web-api; `sessionOf` knows the secrets that open the avatars that are called. */
  static async connect(stack: Stack, sessionOf: (user: string) => string): Promise<AvatarCaller> {
    const bus = await component(stack, "agents", addressesOf(stack.domain).web);
    return new AvatarCaller(bus, stack, sessionOf);
  }

  private constructor(bus: Bus, { domain }: Stack, sessionOf: (user: string) => string) {
    this.bus = bus;
    this.#domain = domain;
    this.#sessionOf = sessionOf;
  }

  /** The id of the newest item in a user's history, or undefined; asked again while the avatar is away, until `timeoutMs`. */
  async newest(user: string, timeoutMs = 30_000): Promise<string | undefined> {
    return (await this.#history(user, NEWEST, timeoutMs))[0]?.id;
  }

  /** How long a user's avatar takes to look through its whole history for a word that is not in it (milliseconds). */
  async searchMs(user: string): Promise<number> {
    const startedAt = performance.now();
    const found = await this.#history(user, { ...NEWEST, q: "nothing has this word" });
    if (found.length > 0) throw new Error(`${user} has found ${found[0]?.id}`);
    return performance.now() - startedAt;
  }

  /** Whether a user's avatar answers one call now; false when it is away, or says nothing within `withinMs`. */
  async answers(user: string, withinMs: number): Promise<boolean> {
    const to = `${user}@${addressesOf(this.#domain).silo}`;
    const body = {
      name: "history",
      op: null,
      authority: { session: this.#sessionOf(user) },
      args: NEWEST,
    } as const;
    try {
      await this.bus.request(callStanza(this.bus.address, to, "", body), withinMs);
      return true;
    } catch (error) {
      if (error instanceof CallError && error.type === "wait") return false;
      throw error;
    }
  }

  /** Has the host called `host` give `shard` to the one called `to`; resolves when it is free for it. */
  async handOver(shard: number, host: string, to: string): Promise<void> {
    await this.bus.request(
      handOverStanza(this.bus.address, hostAddress(this.#domain, host), shard, to),
      HAND_OVER_WITHIN_MS,
    );
  }

  /** The shards that the host called `host` serves, as the router knows. */
  async shardsOf(host: string): Promise<number[]> {
    const { shards } = await this.counters();
    const address = hostAddress(this.#domain, host);
    return shards.filter((one) => one.state === "serving" && one.host === address).map(({ shard }) => shard);
  }

  /** Resolves when `hosts` serve all shards, each its even share. */
  async settled(hosts: readonly string[]): Promise<void> {
    const untilAt = Date.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const counts = await Promise.all(hosts.map(async (host) => (await this.shardsOf(host)).length));
      if (counts.every((count) => count === SHARDS / hosts.length)) return;
      if (Date.now() > untilAt) throw new Error(`${hosts.join(", ")} serve ${counts.join(", ")} shards`);
      await pause(SETTLED_EVERY_MS);
    }
  }

  /** How long a user's avatar takes to answer (milliseconds). */
  async answerMs(user: string): Promise<number> {
    const startedAt = performance.now();
    await this.newest(user);
    return performance.now() - startedAt;
  }

  async hostStatus(host: string): Promise<HostStatus> {
    const to = hostAddress(this.#domain, host);
    const answer = await this.bus.request(
      xml("iq", { type: "get", from: this.bus.address, to }, payload("status", {})),
    );
    return JSON.parse(answer.getChild("status", NS_BUS)?.getChildText("json", NS_JSON) ?? "{}") as HostStatus;
  }

  /** The router's counters, with the state of each shard. */
  async counters(): Promise<{ readonly forwarded: number; readonly shards: readonly ShardState[] }> {
    const { silo } = addressesOf(this.#domain);
    const answer = await this.bus.request(countersStanza(this.bus.address, silo));
    return JSON.parse(answer.getChild(COUNTERS, NS_BUS)?.getChildText("json", NS_JSON) ?? "{}");
  }

  /** Resolves when no host waits for an acknowledgement: acknowledgements leave when the receivers' journals have the commit. */
  async allAcknowledged(hosts: readonly string[]): Promise<void> {
    for (;;) {
      const statuses = await Promise.all(hosts.map((host) => this.hostStatus(host)));
      if (statuses.every(({ framesWaiting }) => framesWaiting === 0)) return;
      await pause(STATUS_EVERY_MS);
    }
  }

  stop(): Promise<void> {
    return this.bus.stop();
  }

  async #history(
    user: string,
    args: CallArgs<"history">,
    timeoutMs = 30_000,
  ): Promise<CallResult<"history">["items"]> {
    const { items } = await this.bus.call({
      from: this.bus.address,
      to: `${user}@${addressesOf(this.#domain).silo}`,
      name: "history",
      args,
      authority: { session: this.#sessionOf(user) },
      timeoutMs,
    });
    return items;
  }
}
