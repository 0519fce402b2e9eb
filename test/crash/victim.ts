/** An avatar host that something is done to, and what shows that it has struck. */
import { hostAddress, SHARDS, shardOf } from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import { LogTail } from "./log-tail.ts";
import type { Random } from "./random.ts";
import type { Stage } from "./stage.ts";

export class Victim {
  /** Such as `avatar-host-h1`. */
  readonly process: string;
  /** Such as `h1`. */
  readonly host: string;
  readonly log: LogTail;
  readonly #stage: Stage;
  readonly #restarts: number;

  constructor(stage: Stage, process: string) {
    this.#stage = stage;
    this.process = process;
    this.host = process.slice("avatar-host-".length);
    this.log = new LogTail(stage, process);
    this.#restarts = stage.stack.service(process).restarts;
  }

  static any(stage: Stage, random: Random): Victim {
    return new Victim(stage, random.pick(stage.hosts));
  }

  /** The host that has the avatar `localpart`, by the router's word. */
  static async ownerOf(stage: Stage, localpart: string): Promise<Victim> {
    const { shards } = await stage.probe.router();
    const domain = shards.find(({ shard }) => shard === shardOf(localpart))?.host;
    const victim = stage.hosts
      .map((process) => new Victim(stage, process))
      .find((one) => one.domain === domain);
    if (victim === undefined) throw new Error(`no host has ${localpart}`);
    return victim;
  }

  /** Its domain on the bus. */
  get domain(): string {
    return hostAddress(this.#stage.stack.domain, this.host);
  }

  /** The shards that the router lets it own, claimed or serving. */
  async owned(): Promise<number[]> {
    const { shards } = await this.#stage.probe.router();
    return shards
      .filter(({ state, host }) => state !== "unowned" && host === this.domain)
      .map(({ shard }) => shard);
  }

  /** Resolves when others serve all shards, by the router's word; rejects when they do not within `withinMs`. */
  async isReplaced(withinMs: number): Promise<void> {
    await eventually(
      async () => {
        const { shards } = await this.#stage.probe.router();
        const others = shards.filter(({ state, host }) => state === "serving" && host !== this.domain);
        if (others.length < SHARDS)
          throw new Error(
            `others than ${this.host} serve ${others.length} of ${SHARDS} shards after ${withinMs / 1_000} s`,
          );
      },
      { withinMs },
    );
  }

  /** Resolves with the reason that it gave when it ended by itself; rejects when it does not within `withinMs`. */
  async endsItself(withinMs: number): Promise<string> {
    const line = await this.log.says(/"giving up"/, withinMs);
    await eventually(
      () => {
        if (this.#stage.stack.service(this.process).restarts === this.#restarts)
          throw new Error(`${this.host} gives up and does not end: ${line}`);
      },
      { withinMs },
    );
    return (JSON.parse(line) as { reason: string }).reason;
  }

  /** Resolves when it answers nothing on the bus; rejects when it does. */
  async isDeaf(): Promise<void> {
    const answered = await this.#stage.probe.status(this.host).then(
      () => true,
      () => false,
    );
    if (answered) throw new Error(`${this.host} still answers on the bus: the fault has not struck`);
  }
}
