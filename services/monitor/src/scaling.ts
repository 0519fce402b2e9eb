/**
 * How many avatar hosts are wanted. Pure: what the hosts say and the clock come in as values.
 *
 *     busy for most of 9 s ──▶ one more     one fewer would not be busy, on the mean of a minute ──▶ one less
 *     asleep for long, where none may be wanted ──▶ none        something waits, or an alarm is due ──▶ one
 *
 * One step at a time, and nothing for 15 s after it was taken and after it is seen that the number of hosts has changed: shards that
 * move and avatars that wake are work of their own, and what a step changes must be seen before the next.
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

/** How busy the hosts were together at a time (epoch milliseconds): 1.5 is one and a half of them. */
interface Work {
  readonly at: number;
  readonly work: number;
}

export interface Scaling {
  readonly wanted: number;
  /** Of the last minute, oldest first, as far as there were as many hosts as there are now. */
  readonly recent: readonly Work[];
  readonly hosts: number;
  /** Since when there are so many, and nothing was changed (epoch milliseconds). */
  readonly sinceAt: number;
  /** Since when the hosts have had nothing to do (epoch milliseconds). */
  readonly idleSinceAt: number | null;
  /** When `wanted` was changed last. */
  readonly changedAt: number;
  /** When the first alarm is due that was set while hosts ran; looked at while none does. */
  readonly alarmAt: number | null;
}

/** Of what counts as busy, what the others would be at with one fewer: so far below that a step does not undo itself. */
const SPARE_OF_BUSY = 4 / 7;
/** Of these seconds three quarters are busy: neither a peak of a few seconds nor a moment of rest decides anything. */
const BUSY_MS = 9_000;
const MOST = 0.75;
const SPARE_MS = 60_000;
const SETTLE_MS = 15_000;
/** So long before an alarm a host is started, which takes a few seconds to serve. */
const AHEAD_MS = 5_000;
/** An alarm that is due sooner than this is no reason to stop the last host. */
const NEAR_ALARM_MS = 60_000;

export function beginScaling(wanted: number, nowAt: number): Scaling {
  return {
    wanted,
    recent: [],
    hosts: 0,
    sinceAt: nowAt,
    idleSinceAt: null,
    changedAt: nowAt - SETTLE_MS,
    alarmAt: null,
  };
}

/** The next state, and why `wanted` has changed; null when it has not. */
export function scale(
  before: Scaling,
  demand: Demand,
  bounds: Bounds,
): { readonly scaling: Scaling; readonly reason: string | null } {
  const observed = observe(before, demand);
  const step = stepFrom(observed, demand, bounds);
  if (step === null || step.wanted === before.wanted) return { scaling: observed, reason: null };
  const { wanted, reason } = step;
  const { nowAt } = demand;
  const begun = { recent: [], sinceAt: nowAt, idleSinceAt: null };
  return { scaling: { ...observed, ...begun, wanted, changedAt: nowAt }, reason };
}

function observe(before: Scaling, { hosts, nowAt }: Demand): Scaling {
  const work = hosts.reduce((sum, { busy }) => sum + busy, 0);
  const isSame = before.hosts === hosts.length;
  const known = isSame ? before.recent : [];
  const alarms = hosts.flatMap(({ nextAlarmAt }) => nextAlarmAt ?? []);
  const alarmAt = hosts.length === 0 ? before.alarmAt : alarms.length === 0 ? null : Math.min(...alarms);
  const isNear = alarmAt !== null && alarmAt - nowAt < NEAR_ALARM_MS;
  const isIdle = hosts.every((host) => host.awakeAvatars === 0 && host.framesWaiting === 0) && !isNear;
  return {
    ...before,
    alarmAt,
    recent: [...known.filter(({ at }) => nowAt - at <= SPARE_MS), { at: nowAt, work }],
    hosts: hosts.length,
    sinceAt: isSame ? before.sinceAt : nowAt,
    idleSinceAt: hosts.length > 0 && isIdle ? (before.idleSinceAt ?? nowAt) : null,
  };
}

/** The work of each look in the last `ms`; none when less is known. */
function workOver(ms: number, { recent, sinceAt }: Scaling, nowAt: number): number[] {
  if (sinceAt > nowAt - ms) return [];
  return recent.filter(({ at }) => nowAt - at <= ms).map(({ work }) => work);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Step {
  readonly wanted: number;
  readonly reason: string;
}

function stepFrom(now: Scaling, { hosts, isWoken, nowAt }: Demand, bounds: Bounds): Step | null {
  const { least, most, busyFrom, idleMs } = bounds;
  const { wanted } = now;
  if (wanted < least) return { wanted: least, reason: `at least ${least} are to run` };
  if (wanted > most) return { wanted: most, reason: `at most ${most} are to run` };
  if (wanted === 0) {
    if (isWoken) return { wanted: 1, reason: "something waits, and no host runs" };
    const isDue = now.alarmAt !== null && nowAt >= now.alarmAt - AHEAD_MS;
    return isDue ? { wanted: 1, reason: "an alarm is due, and no host runs" } : null;
  }
  // What was decided has not been seen yet: hosts start, or give their shards away.
  const isSettled = nowAt - Math.max(now.changedAt, now.sinceAt) >= SETTLE_MS;
  if (!isSettled || hosts.length !== wanted) return null;
  const [lately, long] = [workOver(BUSY_MS, now, nowAt), workOver(SPARE_MS, now, nowAt)];
  const busy = lately.filter((work) => work / wanted >= busyFrom);
  if (lately.length > 0 && busy.length >= lately.length * MOST && wanted < most)
    return { wanted: wanted + 1, reason: `${wanted} are busy ${percent(mean(lately) / wanted)} of the time` };
  const isSpare = long.length > 0 && mean(long) / (wanted - 1) <= busyFrom * SPARE_OF_BUSY;
  if (isSpare && wanted > Math.max(1, least))
    return {
      wanted: wanted - 1,
      reason: `${wanted} are busy only ${percent(mean(long) / wanted)} of the time`,
    };
  const isIdle = now.idleSinceAt !== null && nowAt - now.idleSinceAt >= idleMs;
  if (isIdle && wanted === 1 && least === 0)
    return { wanted: 0, reason: "nothing is awake, and nothing is due soon" };
  return null;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
