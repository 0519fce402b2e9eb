import { randomUUID } from "node:crypto";
import type { Bus } from "@tidings/bus";
import { type Addresses, type Report, reportsStanza, SHARDS, type Shard, shardOf } from "@tidings/protocol";
import { counter, crashPoint, type Log } from "@tidings/runtime";
import { type Batch, ReportLine } from "./report-line.ts";

/** Reports made within this time travel together when the line is idle. */
const GATHER_MS = 2;
const LOOK_EVERY_MS = 250;

const DELIVERIES = counter("tidings_deliveries_total", "What became of deliveries, as reported.", ["state"]);

/** Brings reports to the shards, again and again until they are in the shard's journal; see {@link ReportLine}. */
export class Reporter {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #log: Log;
  readonly #lines: readonly ReportLine[];
  readonly #due = new Set<Shard>();
  readonly #timer: NodeJS.Timeout;
  #agentEpoch: number;

  /** `agentEpoch` must be higher than that of any agent before; the time of the start will do. */
  constructor(bus: Bus, addresses: Addresses, log: Log, agentEpoch: number) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#log = log;
    this.#agentEpoch = agentEpoch;
    const run = randomUUID().slice(0, 8);
    let count = 0;
    const newId = () => `${run}-${(count++).toString(36)}`;
    this.#lines = Array.from({ length: SHARDS }, () => new ReportLine(agentEpoch, newId));
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  report(report: Exclude<Report, { kind: "agentUp" }>): void {
    if (report.kind === "delivery") DELIVERIES.inc({ state: report.state });
    const shard = shardOf(report.user);
    this.#lines[shard]?.add(report);
    this.#flushSoon(shard);
  }

  /** Begins a new epoch at every shard: the connection is new, and presence may have been missed. */
  announce(): void {
    for (let shard = 0; shard < SHARDS; shard++) this.#restart(shard);
  }

  /**
   * `<reported id>` has come from `shard`, which knows the agent's life `knownEpoch`. When that is a later one than the
   * present, the clock has gone back since, and what is said of presence counts for nothing until the epoch is higher.
   */
  acknowledged(shard: Shard, id: string, knownEpoch: number): void {
    if (!this.#lines[shard]?.acknowledge(id)) return;
    if (Number.isSafeInteger(knownEpoch) && knownEpoch > (this.#lines[shard]?.agentEpoch ?? 0)) {
      this.#log.warn({ shard, knownEpoch }, "the clock has gone back; the agent begins a later life");
      this.#agentEpoch = Math.max(this.#agentEpoch, knownEpoch);
      this.#restart(shard);
    }
    this.#flush(shard);
  }

  /** Whether `shard` knows that the agent's present life has begun. */
  isKnownAt(shard: Shard): boolean {
    return this.#lines[shard]?.isAnnounced ?? false;
  }

  /** How many reports are not in a journal yet, for the log. */
  get waiting(): number {
    return this.#lines.reduce((sum, line) => sum + line.waiting + line.inFlight, 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #restart(shard: Shard): void {
    this.#agentEpoch = Math.max(this.#agentEpoch + 1, Date.now());
    this.#lines[shard]?.restart(this.#agentEpoch);
    this.#flushSoon(shard);
  }

  #flushSoon(shard: Shard): void {
    if (this.#due.size === 0) setTimeout(() => this.#flushDue(), GATHER_MS);
    this.#due.add(shard);
  }

  #flushDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const shard of due) this.#flush(shard);
  }

  #look(): void {
    this.#lines.forEach((line, shard) => {
      if (line.isOverflowed && line.waiting === 0) {
        this.#log.warn({ shard }, "reports were lost while the shard was away; its avatars ask again");
        this.#restart(shard);
      }
      if (line.inFlight > 0) this.#flush(shard);
    });
  }

  #flush(shard: Shard): void {
    if (!this.#bus.isOnline) return;
    for (const batch of this.#lines[shard]?.take(Date.now(), Math.random) ?? []) this.#send(shard, batch);
  }

  #send(shard: Shard, { id, agentEpoch, reports }: Batch): void {
    crashPoint("agent.report.before");
    this.#bus
      .send(
        reportsStanza(this.#bus.address, this.#addresses.silo, shard, id, {
          agentEpoch,
          reports: [...reports],
        }),
      )
      .catch((error) => this.#log.warn({ err: error, shard, id }, "reports were not sent"));
    crashPoint("agent.report.after");
  }
}
