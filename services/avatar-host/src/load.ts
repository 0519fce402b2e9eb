/** What a host tells the monitor of itself, every three seconds: it lives, what it serves, and how much of it is in use. */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Bus } from "@tidings/bus";
import { goneStanza, type HostLoad, LOAD_EVERY_MS, loadStanza } from "@tidings/protocol";
import { gauge } from "@tidings/runtime";
import { commitsSoFar } from "@tidings/store";
import type { Shard } from "./shard/shard.ts";
import type { HostStatus } from "./status.ts";

/** What the host's shards say; the rest is measured of the process. */
export type ServedLoad = Pick<
  HostLoad,
  "inc" | "shards" | "awakeAvatars" | "framesWaiting" | "parkedStreams" | "nextAlarmAt"
>;

const NANOSECONDS = 1_000_000;

/** The load of a host in the life `inc` that serves `served`. */
export function loadOf(
  inc: string,
  { awakeAvatars, framesWaiting, parkedStreams }: HostStatus,
  served: readonly { readonly shard: Shard; readonly isLeaving: boolean }[],
): ServedLoad {
  // One that is being given back may be closed already.
  const kept = served.filter(({ isLeaving }) => !isLeaving);
  const shards = kept
    .map(({ shard: { number, epoch } }) => ({ shard: number, epoch }))
    .sort((a, b) => a.shard - b.shard);
  const alarms = kept.flatMap(({ shard }) => shard.alarms.firstAt ?? []);
  const nextAlarmAt = alarms.length === 0 ? null : Math.min(...alarms);
  return { inc, shards, awakeAvatars, framesWaiting, parkedStreams, nextAlarmAt };
}

export class LoadReports {
  readonly #bus: Bus;
  readonly #monitor: string;
  readonly #served: () => ServedLoad;
  readonly #residentBytes: () => number;
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #timer: NodeJS.Timeout;
  #utilization = performance.eventLoopUtilization();
  #commits = commitsSoFar();
  #sinceMs = performance.now();

  /** Tells the `monitor` over `bus` until it is stopped. */
  constructor(bus: Bus, monitor: string, served: () => ServedLoad, residentBytes: () => number) {
    [this.#bus, this.#monitor, this.#served, this.#residentBytes] = [bus, monitor, served, residentBytes];
    gauge(
      "tidings_frames_waiting",
      "Frames that no receiver has acknowledged.",
      () => served().framesWaiting,
    );
    gauge(
      "tidings_streams_parked",
      "Streams of frames that nobody acknowledges.",
      () => served().parkedStreams,
    );
    this.#delay.enable();
    this.#timer = setInterval(() => this.#tell(), LOAD_EVERY_MS);
    this.#tell();
  }

  /** Says that the host goes. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#delay.disable();
    if (this.#bus.isOnline) await this.#bus.send(goneStanza(this.#bus.address, this.#monitor));
  }

  /** A report that does not arrive is followed by the next one; one that would have to wait is out of date by then. */
  #tell(): void {
    const load = { ...this.#served(), ...this.#measured() };
    if (!this.#bus.isOnline) return;
    this.#bus.send(loadStanza(this.#bus.address, this.#monitor, load)).catch(() => undefined);
  }

  #measured(): Omit<HostLoad, keyof ServedLoad> {
    const seconds = Math.max(0.001, (performance.now() - this.#sinceMs) / 1_000);
    const commits = commitsSoFar();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    const delayMs = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / NANOSECONDS;
    const measured = {
      commitsPerSecond: (commits - this.#commits) / seconds,
      busy: Math.min(1, Math.max(0, utilization)),
      loopDelayMs: delayMs,
      residentBytes: this.#residentBytes(),
    };
    this.#delay.reset();
    [this.#commits, this.#utilization, this.#sinceMs] = [commits, now, performance.now()];
    return measured;
  }
}
