/**
 * Shards, hosts that crash, stall and are cut off, a bus that loses, repeats, reorders and delays, leases and journals: one
 * schedule of it, decided by a seed. Outbox, Inbox and `planRound` are the real ones; the table and the bus are values.
 *
 *     trouble for a while ─▶ all hosts live, the bus is whole ─▶ what was told is heard once, in order, and nothing is left
 */
import { SHARDS, shardOf } from "@tidings/protocol";
import type { Lease } from "@tidings/store";
import { Agenda } from "./agenda.ts";
import { FencedLog } from "./fenced-log.ts";
import { seeded } from "./seeded.ts";
import { SimulatedHost } from "./simulated-host.ts";
import type { Flaw, Message, SimulatedShard } from "./simulated-shard.ts";

export interface Setting {
  readonly shards: number;
  readonly hosts: number;
  /** How long there is trouble (virtual milliseconds). */
  readonly troubleMs: number;
  readonly flaw: Flaw | null;
}

/** Longest time that it may take until all is well again (virtual milliseconds). */
const HEALING_MS = 600_000;
const TROUBLE_EVERY_MS = 1_500;
const TELL_EVERY_MS = 500;
/** Owner of all shards that do not take part: a host that never fails, and is not simulated. */
const OTHER = { host: "z", inc: "z" };

const NAMES = namesByShard();

export class World {
  readonly agenda = new Agenda();
  readonly random: () => number;
  readonly setting: Setting;
  readonly logs: readonly FencedLog[];
  readonly hosts: readonly SimulatedHost[];
  readonly leases: Lease[];
  readonly heartbeats = new Map<string, { inc: string; hb: number }>();
  readonly #claims: ({ readonly shard: SimulatedShard; readonly host: SimulatedHost } | null)[];
  readonly #highest: number[];
  /** The highest epoch of each shard of which something has left for the bus. */
  readonly #spoke: number[];
  /** Stanzas of deposed owners that the router has dropped. */
  deposedStanzas = 0;
  #told = 0;
  #isTroubled = true;
  readonly violations: string[] = [];

  constructor(seed: number, setting: Setting) {
    this.setting = setting;
    this.random = seeded(seed);
    const numbers = Array.from({ length: setting.shards }, (_, shard) => shard);
    this.logs = numbers.map(() => new FencedLog(setting.flaw !== "journal takes writes of a deposed owner"));
    this.#claims = numbers.map(() => null);
    this.#highest = numbers.map(() => 0);
    this.#spoke = numbers.map(() => 0);
    this.leases = Array.from({ length: SHARDS }, (_, shard) => ({
      shard,
      owner: shard < setting.shards ? null : OTHER,
      epoch: shard < setting.shards ? 0 : 1,
    }));
    this.hosts = Array.from({ length: setting.hosts }, (_, at) => new SimulatedHost(`h${at + 1}`, this));
  }

  /** How often shards were taken. */
  get takeovers(): number {
    return this.#highest.reduce((sum, epoch) => sum + epoch, 0);
  }

  /** Plays the schedule to its end; {@link violations} says what went wrong. */
  play(): void {
    for (const host of this.hosts) host.start();
    this.#tellAgain();
    this.#troubleAgain();
    this.agenda.run(this.setting.troubleMs);
    this.#isTroubled = false;
    for (const host of this.hosts) host.heal();
    this.agenda.run(this.agenda.now + HEALING_MS, () => this.#isQuiet());
    this.#check();
  }

  /** The router takes a claim only with a higher epoch than it has seen. */
  claim(shard: SimulatedShard, host: SimulatedHost): boolean {
    if (shard.epoch <= (this.#highest[shard.number] ?? 0)) return false;
    this.#highest[shard.number] = shard.epoch;
    this.#claims[shard.number] = { shard, host };
    return true;
  }

  /** Carries a message as a bad bus does. What a deposed owner says goes nowhere. */
  send(from: SimulatedShard, sender: SimulatedHost, to: number, message: Message): void {
    if (sender.isOffBus) return;
    if (from.epoch < (this.#highest[from.number] ?? 0)) {
      this.deposedStanzas++;
      if (this.setting.flaw !== "router carries what a deposed owner says") return;
    }
    if (from.epoch < (this.#spoke[from.number] ?? 0))
      this.violations.push("an old epoch spoke after the new one");
    this.#spoke[from.number] = from.epoch;
    const fate = this.random();
    if (this.#isTroubled && fate < 0.12) return;
    this.#deliver(from.number, to, message);
    if (this.#isTroubled && fate > 0.9) this.#deliver(from.number, to, message);
  }

  #deliver(from: number, to: number, message: Message): void {
    const isSlow = this.#isTroubled && this.random() < 0.03;
    this.agenda.after(this.random() * (isSlow ? 15_000 : 30), () => {
      const claim = this.#claims[to];
      if (claim && !claim.host.isOffBus) claim.host.does(() => claim.shard.receive(from, message));
    });
  }

  #tellAgain(): void {
    this.agenda.after(this.random() * 2 * TELL_EVERY_MS, () => {
      if (!this.#isTroubled) return;
      const from = this.#pick(this.setting.shards);
      const to = (from + 1 + this.#pick(this.setting.shards - 1)) % this.setting.shards;
      const event = { type: "subscribed", url: String(++this.#told) } as const;
      for (const host of this.hosts)
        host.shard(from)?.tell({ from: NAMES[from] ?? "", to: [NAMES[to] ?? ""], event });
      this.#tellAgain();
    });
  }

  #troubleAgain(): void {
    this.agenda.after(this.random() * 2 * TROUBLE_EVERY_MS, () => {
      if (!this.#isTroubled) return;
      this.hosts[this.#pick(this.hosts.length)]?.suffers(this.random(), this.random());
      this.#troubleAgain();
    });
  }

  #pick(count: number): number {
    return Math.floor(this.random() * count);
  }

  #isQuiet(): boolean {
    return this.#claims.every((claim) => claim?.host.shard(claim.shard.number)?.isIdle === true);
  }

  #check(): void {
    if (!this.#isQuiet()) this.violations.push("outboxes are not empty at the end");
    for (const [to, log] of this.logs.entries()) {
      for (const [from, { told }] of this.logs.entries()) {
        const promised = told.filter((event) => event.to === to).map(({ text }) => text);
        const heard = log.heard.filter((event) => event.from === from).map(({ text }) => text);
        if (promised.join() !== heard.join())
          this.violations.push(`${from} told ${to} ${promised.join()}, and it heard ${heard.join()}`);
      }
    }
  }
}

/** A name in each of the first shards. */
function namesByShard(): string[] {
  const names: string[] = [];
  for (let n = 0; names.filter(Boolean).length < 8; n++) {
    const shard = shardOf(`u${n}`);
    if (shard < 8) names[shard] ??= `u${n}`;
  }
  return names;
}
