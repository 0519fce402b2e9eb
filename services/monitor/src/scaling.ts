/**
 * How many avatar hosts are wanted. Pure: what the hosts say and the clock come in as values.
 *
 *     busy for 9 s ──▶ one more          one fewer would not be busy, for a minute ──▶ one less
 *     asleep for long, where none may be wanted ──▶ none        something waits, or an alarm is due ──▶ one
 *
 * One step at a time, and after a step nothing for 15 s: what a step changes must be seen before the next.
 */

/** What one host that serves says of itself. */
export interface HostSample {
  /** Share of the time in which its event loop worked, 0 to 1. */
  readonly busy: number;
  readonly awakeAvatars: number;
  readonly framesWaiting: number;
  /** Epoch milliseconds; null: no alarm is set. */
  readonly nextAlarmAt: number | null;
}

export interface Demand {
  readonly hosts: readonly HostSample[];
  /** Messages wait for a shard that nobody hosts. */
  readonly isWoken: boolean;
  /** Epoch milliseconds. */
  readonly nowAt: number;
}

export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** Share of the time in which the event loops work, on average, from which a host is added; see {@link SPARE_OF_BUSY}. */
  readonly busyFrom: number;
  /** After so long without anything to do the last host is not wanted, where the fewest are 0 (milliseconds). */
  readonly idleMs: number;
}

export interface Scaling {
  readonly wanted: number;
  /** Since when the hosts have been busy, could be fewer, or have had nothing to do (epoch milliseconds). */
  readonly busySinceAt: number | null;
  readonly spareSinceAt: number | null;
  readonly idleSinceAt: number | null;
  /** When `wanted` was changed last. */
  readonly changedAt: number;
  /** When the first alarm is due that was set while hosts ran; looked at while none does. */
  readonly alarmAt: number | null;
}

/** Of what counts as busy, what the others would be at with one fewer: so far below that a step does not undo itself. */
const SPARE_OF_BUSY = 4 / 7;
const BUSY_MS = 9_000;
const SPARE_MS = 60_000;
const SETTLE_MS = 15_000;
/** So long before an alarm a host is started, which takes a few seconds to serve. */
const AHEAD_MS = 5_000;
/** An alarm that is due sooner than this is no reason to stop the last host. */
const NEAR_ALARM_MS = 60_000;

export function beginScaling(wanted: number, nowAt: number): Scaling {
  const since = { busySinceAt: null, spareSinceAt: null, idleSinceAt: null };
  return { wanted, ...since, changedAt: nowAt - SETTLE_MS, alarmAt: null };
}

/** The next state, and why `wanted` has changed; null when it has not. */
export function scale(
  before: Scaling,
  demand: Demand,
  bounds: Bounds,
): { readonly scaling: Scaling; readonly reason: string | null } {
  const observed = observe(before, demand, bounds);
  const step = stepFrom(observed, demand, bounds);
  if (step === null || step.wanted === before.wanted) return { scaling: observed, reason: null };
  const since = { busySinceAt: null, spareSinceAt: null, idleSinceAt: null };
  return {
    scaling: { ...observed, ...since, wanted: step.wanted, changedAt: demand.nowAt },
    reason: step.reason,
  };
}

function observe(before: Scaling, { hosts, nowAt }: Demand, { busyFrom }: Bounds): Scaling {
  const total = hosts.reduce((sum, { busy }) => sum + busy, 0);
  const isBusy = hosts.length > 0 && total / hosts.length >= busyFrom;
  const isSpare = hosts.length > 1 && total / (hosts.length - 1) <= busyFrom * SPARE_OF_BUSY;
  const alarms = hosts.flatMap(({ nextAlarmAt }) => nextAlarmAt ?? []);
  const alarmAt = hosts.length === 0 ? before.alarmAt : alarms.length === 0 ? null : Math.min(...alarms);
  const isNear = alarmAt !== null && alarmAt - nowAt < NEAR_ALARM_MS;
  const isIdle = hosts.every((host) => host.awakeAvatars === 0 && host.framesWaiting === 0) && !isNear;
  const since = (is: boolean, at: number | null) => (is ? (at ?? nowAt) : null);
  return {
    ...before,
    alarmAt,
    busySinceAt: since(isBusy, before.busySinceAt),
    spareSinceAt: since(isSpare, before.spareSinceAt),
    idleSinceAt: since(hosts.length > 0 && isIdle, before.idleSinceAt),
  };
}

interface Step {
  readonly wanted: number;
  readonly reason: string;
}

function stepFrom(now: Scaling, { hosts, isWoken, nowAt }: Demand, bounds: Bounds): Step | null {
  const { least, most, idleMs } = bounds;
  const { wanted } = now;
  if (wanted < least) return { wanted: least, reason: `at least ${least} are to run` };
  if (wanted > most) return { wanted: most, reason: `at most ${most} are to run` };
  if (wanted === 0) {
    if (isWoken) return { wanted: 1, reason: "something waits, and no host runs" };
    const isDue = now.alarmAt !== null && nowAt >= now.alarmAt - AHEAD_MS;
    return isDue ? { wanted: 1, reason: "an alarm is due, and no host runs" } : null;
  }
  // What was decided has not been seen yet: hosts start, or give their shards away.
  if (nowAt - now.changedAt < SETTLE_MS || hosts.length !== wanted) return null;
  const lasts = (sinceAt: number | null, ms: number) => sinceAt !== null && nowAt - sinceAt >= ms;
  if (lasts(now.busySinceAt, BUSY_MS) && wanted < most)
    return { wanted: wanted + 1, reason: `${hosts.length} are busy ${percent(hosts)} of the time` };
  if (lasts(now.spareSinceAt, SPARE_MS) && wanted > Math.max(1, least))
    return { wanted: wanted - 1, reason: `${hosts.length} are busy only ${percent(hosts)} of the time` };
  if (lasts(now.idleSinceAt, idleMs) && wanted === 1 && least === 0)
    return { wanted: 0, reason: "nothing is awake, and nothing is due soon" };
  return null;
}

function percent(hosts: readonly HostSample[]): string {
  const mean = hosts.reduce((sum, { busy }) => sum + busy, 0) / hosts.length;
  return `${Math.round(mean * 100)} %`;
}
