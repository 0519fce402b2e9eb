/**
 * What the shards of the silo order an agent to do. Orders count only from the silo's shards, and only for users of the
 * shard that gives them.
 *
 *     dispatches ─▶ carryOut, once the shard knows of this life of the agent      asks ─▶ ask      reported ─▶ Reporter
 */
import {
  type Addresses,
  type Ask,
  busChild,
  type Dispatch,
  type Element,
  readAsks,
  readDispatches,
  type Shard,
  shardNamed,
  shardOf,
  splitJid,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Reporter } from "./reporter.ts";

/** Who does what is ordered. */
export interface Crew {
  carryOut(dispatches: readonly Dispatch[]): void;
  ask(ask: Ask): void;
}

export class Orders {
  readonly #addresses: Addresses;
  readonly #reporter: Reporter;
  readonly #crew: Crew;
  readonly #log: Log;

  constructor(addresses: Addresses, reporter: Reporter, crew: Crew, log: Log) {
    this.#addresses = addresses;
    this.#reporter = reporter;
    this.#crew = crew;
    this.#log = log;
  }

  /** True when `stanza` comes from the silo; then nobody else need look at it. Throws MalformedError. */
  heard(stanza: Element): boolean {
    const { domain, local } = splitJid(String(stanza.attrs.from ?? ""));
    if (domain !== this.#addresses.silo) return false;
    if (stanza.name === "message") this.#ordered(stanza, shardNamed(local));
    return true;
  }

  #ordered(message: Element, shard: Shard | null): void {
    const order = busChild(message);
    if (shard === null || order === undefined || message.attrs.type === "error") return;
    switch (order.name) {
      case "dispatches":
        // Who does not know yet that this life has begun takes it for the last, whose open deliveries come first.
        if (this.#reporter.isKnownAt(shard)) this.#carryOut(this.#ownOf(shard, readDispatches(order)));
        return;
      case "asks":
        for (const ask of this.#ownOf(shard, readAsks(order))) this.#crew.ask(ask);
        return;
      case "reported":
        this.#reporter.acknowledged(shard, String(order.attrs.id), Number(order.attrs.epoch));
    }
  }

  #carryOut(dispatches: readonly Dispatch[]): void {
    if (this.#log.isLevelEnabled("debug"))
      for (const { user, notification, attempt } of dispatches)
        this.#log.debug({ trace: notification.id, user, attempt }, "dispatch came");
    this.#crew.carryOut(dispatches);
  }

  /** The entries about users of `shard`: no other shard speaks for them. */
  #ownOf<T extends { readonly user: string }>(shard: Shard, entries: readonly T[]): T[] {
    const own = entries.filter(({ user }) => shardOf(user) === shard);
    if (own.length < entries.length)
      this.#log.warn({ shard }, "a shard gave orders for users of another shard");
    return own;
  }
}
