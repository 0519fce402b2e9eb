/**
 * Watches the avatar hosts and has as many run as are wanted. It advises: hosts find their shards by themselves, and with the
 * monitor dead everything goes on with the hosts that there are.
 *
 *     each second: hosts' words, wakes ──scale──▶ how many ──one step──▶ driver: start or stop one
 */
import {
  type CallArgs,
  CallError,
  type CallResult,
  type FleetView,
  type HostLoad,
  MOST_HOSTS,
} from "@tidings/protocol";
import { gauge, type Log } from "@tidings/runtime";
import { type Driver, DriverError, type RunningHost } from "./driver.ts";
import { byNumber, Fleet, SILENT_MS } from "./fleet.ts";
import type { FleetRecord } from "./fleet-record.ts";
import { type Bounds, beginScaling, type Scaling, scale } from "./scaling.ts";

/** A host that runs and has not been heard of for so long is ended by force, and another one started (milliseconds). */
const REPLACED_AFTER_MS = 30_000;

export interface MonitorOptions {
  /** Null: somebody else starts and stops hosts, and they are watched alone. */
  readonly driver: Driver | null;
  readonly bounds: Bounds;
  readonly first: number;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Keeps the fewest hosts that an operator has asked for, whoever leads next. Rejects when it cannot. */
  readonly keep: (least: number) => Promise<void>;
  readonly record: FleetRecord;
  /** Something was decided, and is in the record. */
  readonly onDecided: () => void;
  /** Whether hosts may be started and stopped now: another monitor may lead. */
  readonly mayAct: () => boolean;
}

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #fleet = new Fleet();
  #running: readonly RunningHost[] = [];
  #bounds: Bounds;
  #scaling: Scaling;
  #isWoken = false;
  #problem: string | null = null;
  /** A host that was asked to be drained goes before the one with the highest number. */
  #draining: string | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#bounds = options.bounds;
    this.#scaling = beginScaling(options.first, options.now());
    gauge("tidings_hosts_wanted", "Hosts that are wanted.", () => this.#wanted);
    gauge(
      "tidings_hosts_serving",
      "Hosts that are heard of.",
      () => this.#fleet.serving(options.now()).length,
    );
  }

  get view(): FleetView {
    const wanted = this.#wanted;
    // Where somebody else starts hosts no bounds of the monitor's count.
    const { least, most } = this.#options.driver === null ? { least: wanted, most: wanted } : this.#bounds;
    return {
      hosts: this.#fleet.view(this.#running, this.#options.now()),
      wanted,
      least,
      most,
      problem: this.#problem,
      decisions: this.#options.record.decisions.toReversed(),
    };
  }

  /** Who starts hosts wants those that there are. */
  get #wanted(): number {
    return this.#options.driver === null
      ? this.#fleet.serving(this.#options.now()).length
      : this.#scaling.wanted;
  }

  /** What was measured in `range`, oldest first. */
  record({ range }: CallArgs<"fleetRecord">): CallResult<"fleetRecord"> {
    return { samples: [...this.#options.record.of(range)] };
  }

  /** A host has told of its load, or goes (null). */
  hears(name: string, load: HostLoad | null): void {
    this.#fleet.hears(name, load, this.#options.now());
  }

  /** Messages wait for a shard that nobody hosts. A storm of these is one. */
  isWoken(): void {
    const isNews = !this.#isWoken && this.#scaling.wanted === 0;
    this.#isWoken = true;
    if (isNews) void this.look();
  }

  /** Looks and takes one step where one is to be taken; what is under way is waited for. Never rejects. */
  look(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#look());
    return this.#turn;
  }

  /** At least `hosts` are to run from now on. Rejects with CallError. */
  async scaleTo(hosts: number): Promise<void> {
    this.#needsDriver();
    if (hosts < 1 || hosts > MOST_HOSTS)
      throw new CallError("modify", "not-acceptable", `There can be 1 to ${MOST_HOSTS} hosts, not ${hosts}.`);
    await this.#options.keep(hosts);
    this.#bounds = { ...this.#bounds, least: hosts, most: Math.max(hosts, this.#bounds.most) };
    this.#decide(hosts, "an operator has asked for it");
  }

  /** `name` is to give its shards away and end. Rejects with CallError. */
  async drain(name: string): Promise<void> {
    this.#needsDriver();
    // A word that is repeated, as its answer was lost, is one.
    if (this.#draining === name) return;
    const serving = this.#fleet.serving(this.#options.now());
    if (!serving.includes(name))
      throw new CallError("cancel", "item-not-found", `No host that serves is called ${name}.`);
    if (this.#draining !== null)
      throw new CallError(
        "modify",
        "not-acceptable",
        `${this.#draining} is being drained; wait until it is gone.`,
      );
    if (serving.length < 2)
      throw new CallError(
        "modify",
        "not-acceptable",
        `${name} is the only host that serves, and its shards would have nowhere to go; scale to 2 first.`,
      );
    const wanted = Math.max(1, this.#scaling.wanted - 1);
    const least = Math.min(this.#bounds.least, wanted);
    // Before it is kept: a word that is repeated meanwhile is the same one.
    this.#draining = name;
    await this.#options.keep(least).catch((error: unknown) => {
      this.#draining = null;
      throw error;
    });
    this.#bounds = { ...this.#bounds, least };
    this.#decide(wanted, `an operator has had ${name} drained`);
  }

  async #look(): Promise<void> {
    const { driver, log, now, record, mayAct } = this.#options;
    try {
      const running = (await driver?.list()) ?? [];
      this.#fleet.runs(running, now());
      this.#running = running;
      record.add(this.#fleet.samples(now()), now());
      if (driver !== null) this.#scale();
      if (driver !== null && mayAct()) await this.#step(driver);
      this.#problem = null;
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      if (this.#problem !== error.message) log.error({ err: error }, "hosts cannot be started or stopped");
      this.#problem = error.message;
    }
  }

  #scale(): void {
    const nowAt = this.#options.now();
    const demand = { hosts: this.#fleet.samples(nowAt), isWoken: this.#isWoken, nowAt };
    const { scaling, reason } = scale(this.#scaling, demand, this.#bounds);
    this.#isWoken = false;
    this.#scaling = scaling;
    if (reason !== null) this.#note(scaling.wanted, reason);
  }

  /** At most one host is started or stopped, and none while another one is still being started or stopped. */
  async #step(driver: Driver): Promise<void> {
    const { now } = this.#options;
    if (this.#running.some(({ state }) => state === "stopping")) return;
    this.#draining = this.#running.some(({ name }) => name === this.#draining) ? this.#draining : null;
    const names = this.#running.map(({ name }) => name).sort(byNumber);
    const { wanted } = this.#scaling;
    if (this.#draining !== null || names.length > wanted) {
      await driver.stop(this.#draining ?? (names.at(-1) as string));
    } else if (names.length < wanted) {
      await driver.start(freeName(names));
    } else {
      const silent = this.#running.find((host) => this.#isSilent(host, now()));
      if (silent === undefined) return;
      this.#note(wanted, `${silent.name} runs and says nothing; another one takes its place`);
      await driver.stop(silent.name);
    }
    this.#running = await driver.list();
  }

  /** Throws CallError when hosts are started by somebody else. */
  #needsDriver(): void {
    if (this.#options.driver !== null) return;
    const sentence =
      "The monitor does not start hosts here: whoever started them adds and takes them away, such as docker compose up --scale avatar-host=3.";
    throw new CallError("modify", "not-acceptable", sentence);
  }

  #isSilent({ name }: RunningHost, nowAt: number): boolean {
    const since = this.#fleet.silentSince(name);
    // When nobody is heard the bus is away, and ending hosts would mend nothing.
    const isAlone = this.#fleet.serving(nowAt).length === 0;
    return since !== null && !isAlone && nowAt - since >= REPLACED_AFTER_MS + SILENT_MS;
  }

  #decide(wanted: number, reason: string): void {
    const nowAt = this.#options.now();
    this.#scaling = { ...beginScaling(wanted, nowAt), changedAt: nowAt, alarmAt: this.#scaling.alarmAt };
    this.#note(wanted, reason);
    void this.look();
  }

  #note(wanted: number, reason: string): void {
    this.#options.log.info({ wanted, reason }, "number of hosts decided");
    this.#options.record.decide({ at: this.#options.now(), wanted, reason });
    this.#options.onDecided();
  }
}

/** The lowest name that no host has. */
function freeName(names: readonly string[]): string {
  for (let number = 1; ; number++) if (!names.includes(`h${number}`)) return `h${number}`;
}
