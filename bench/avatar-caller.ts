/** Calls avatars as web-api does, and asks hosts and the router how they are. */
import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@tidings/bus";
import { addressesOf, hostAddress, NS_BUS, NS_JSON, payload, xml } from "@tidings/protocol";
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

export class AvatarCaller {
  readonly bus: Bus;
  readonly #domain: string;
  readonly #session: string;

  /** Connects as web-api; `session` opens the avatars that are called. */
  static async connect(stack: Stack, session: string): Promise<AvatarCaller> {
    return new AvatarCaller(await component(stack, "agents", `web.agents.${stack.domain}`), stack, session);
  }

  private constructor(bus: Bus, { domain }: Stack, session: string) {
    this.bus = bus;
    this.#domain = domain;
    this.#session = session;
  }

  /** The id of the newest item in a user's history, or undefined; asked again while the avatar is away, until `timeoutMs`. */
  async newest(user: string, timeoutMs = 30_000): Promise<string | undefined> {
    const { items } = await this.bus.call({
      from: this.bus.address,
      to: `${user}@${addressesOf(this.#domain).silo}`,
      name: "history",
      args: { limit: 1, cursor: null, source: null, q: null, state: null },
      authority: { session: this.#session },
      timeoutMs,
    });
    return items[0]?.id;
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
    const iq = xml(
      "iq",
      { type: "get", from: this.bus.address, to: silo },
      xml("counters", { xmlns: NS_BUS }),
    );
    const answer = await this.bus.request(iq);
    return JSON.parse(answer.getChild("counters", NS_BUS)?.getChildText("json", NS_JSON) ?? "{}");
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
}
