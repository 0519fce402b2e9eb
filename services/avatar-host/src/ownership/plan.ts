/**
 * Which shards a host takes and gives back in one round. Pure: what was read and the own monotonic clock come in as values.
 *
 * A shard is free when nobody has it, when its owner's heartbeat has stood still for 10 s of the own clock, when its owner
 * lives again as another incarnation, or when it is the host's own by a lease of which it knows nothing: the answer to its
 * taking or giving back was lost. Taking a shard from an owner that is not dead is a waste, never a danger: the journal's
 * fence keeps it safe.
 *
 * The fair share is 64 / n, rounded down; as many hosts as shards are left over may have one more. A host gives back what
 * is above its share, a few at a time and the next when those have been taken, and hosts that all have theirs leave each other alone. A host that says that it cannot serve is not
 * counted by those that can.
 *
 * A host without a bus, or with a full disk, for 10 s takes nothing, and gives everything back as soon as another one has been
 * able to serve for 10 s. When nobody is (ejabberd itself is down, or all have one disk) giving away would gain nothing, so
 * nobody does; and the one whose connection comes back first leaves the others the time to come back too.
 */
import { SHARDS } from "@tidings/protocol";
import type { Heartbeat, Lease } from "@tidings/store";

/** A heartbeat that stands still for this long belongs to a dead host (milliseconds). */
export const DEAD_AFTER_MS = 10_000;
/** A host that could not serve for this long gives its shards to hosts that can (milliseconds). */
export const UNFIT_MS = 10_000;
/** Shards taken and given back in one round: hand-overs come in small steps. */
const TAKES = 16;
const RELEASES = 4;
/** While so many shards are on their way no more are given to whoever has too few: each would wait for all. */
const UNDER_WAY = 4;

export interface Observed extends Heartbeat {
  /** When this heartbeat was first seen with its present number, on the own monotonic clock (milliseconds). */
  readonly since: number;
  /** Since when it has said that it can serve, on the same clock; null when it says that it cannot. */
  readonly ableSince: number | null;
}

/** What a host knows of itself. */
export interface Self {
  readonly host: string;
  readonly inc: string;
  /** False while it could not serve what it took. */
  readonly isAble: boolean;
  /** How long it has had no bus, or no disk that takes anything (milliseconds); 0 when it has both. */
  readonly unfitMs: number;
}

export interface View {
  readonly me: Self;
  readonly leases: readonly Lease[];
  readonly hosts: readonly Observed[];
  /** Shards that the host serves. */
  readonly owned: ReadonlySet<number>;
  /** Shards that it is taking or giving back just now, or has given to another host by name. */
  readonly moving: ReadonlySet<number>;
  /** Shards that another host has given to this one by name: taken beyond the share. */
  readonly offered?: ReadonlySet<number>;
  /** Shards for which something waits. */
  readonly awaited?: ReadonlySet<number>;
  /** Own monotonic clock (milliseconds). */
  readonly now: number;
}

export interface Plan {
  readonly take: readonly number[];
  readonly release: readonly number[];
  /** Leases of this host's present life that it does not serve by: given back, and the table did not hear of it. */
  readonly clear: readonly Lease[];
}

/** The heartbeats with the time since which each stands still. */
export function observe(
  before: readonly Observed[],
  heartbeats: readonly Heartbeat[],
  now: number,
): Observed[] {
  return heartbeats.map((beat) => {
    const known = before.find(({ host }) => host === beat.host);
    if (known !== undefined && known.inc === beat.inc && known.hb === beat.hb) return known;
    return { ...beat, since: now, ableSince: beat.isAble ? (known?.ableSince ?? now) : null };
  });
}

/** The names of the hosts that live, in order, the own one included. */
export function livingHosts(view: LivingView): string[] {
  return [view.me.host, ...othersAlive(view).map(({ host }) => host)].sort();
}

type LivingView = Pick<View, "hosts" | "now"> & { readonly me: Pick<Self, "host"> };

function othersAlive({ me, hosts, now }: LivingView): Observed[] {
  return hosts.filter(({ host, since }) => host !== me.host && now - since < DEAD_AFTER_MS);
}

/** What to do now. */
export function planRound(view: View): Plan {
  const clear = strayLeases(view);
  if (view.me.unfitMs >= UNFIT_MS) return { ...planOfUnfit(view), clear };
  const share = shareOf(view);
  const room = Math.max(0, share - view.owned.size);
  const surplus = Math.max(0, view.owned.size - share);
  const free = freeShards(view);
  const underWay = view.moving.size + view.leases.filter(({ owner }) => owner === null).length;
  const offered = free.filter((shard) => view.offered?.has(shard));
  const others = free.filter((shard) => !offered.includes(shard));
  return {
    take: [...offered, ...others.slice(0, Math.min(room, TAKES))],
    release: [...view.owned].slice(0, Math.min(surplus, RELEASES, Math.max(0, UNDER_WAY - underWay))),
    clear,
  };
}

function strayLeases({ me, leases, owned, moving }: View): Lease[] {
  return leases.filter(
    ({ shard, owner }) =>
      owner?.host === me.host && owner.inc === me.inc && !owned.has(shard) && !moving.has(shard),
  );
}

function planOfUnfit(view: View): Omit<Plan, "clear"> {
  const isAnotherAble = othersAlive(view).some(
    ({ ableSince }) => ableSince !== null && view.now - ableSince >= UNFIT_MS,
  );
  return { take: [], release: isAnotherAble ? [...view.owned].slice(0, RELEASES) : [] };
}

/** The names of the hosts that share the shards, in order. One that cannot serve itself counts on everybody. */
function sharers(view: View): string[] {
  const { me } = view;
  const others = othersAlive(view).filter(({ isAble }) => isAble || !me.isAble || me.unfitMs > 0);
  return [me.host, ...others.map(({ host }) => host)].sort();
}

/** How many shards the host may have now. Of too many that have one more, the first by name keep it. */
function shareOf(view: View): number {
  const { me, owned } = view;
  const living = sharers(view);
  const least = Math.floor(SHARDS / living.length);
  const more = SHARDS % living.length;
  const withMore = living.filter((host) => host !== me.host && countOf(view, host) > least);
  const before = owned.size > least ? withMore.filter((host) => host < me.host) : withMore;
  return before.length < more ? least + 1 : least;
}

function countOf({ leases }: View, host: string): number {
  return leases.filter(({ owner }) => owner?.host === host).length;
}

/** What is waited for, then the others, in an order of the host's own, so that hosts that start together do not race for the same shards. */
function freeShards(view: View): number[] {
  const { me, leases, hosts, owned, moving, awaited } = view;
  const byShard = new Map(leases.map((lease) => [lease.shard, lease]));
  const all = Array.from({ length: SHARDS }, (_, shard) => shard);
  const free = all.filter(
    (shard) => !owned.has(shard) && !moving.has(shard) && isFree(view, byShard.get(shard)?.owner ?? null),
  );
  const names = hosts.map(({ host }) => host).sort();
  const turn = Math.floor((Math.max(0, names.indexOf(me.host)) * SHARDS) / Math.max(1, hosts.length));
  const place = (shard: number) => ((shard - turn + SHARDS) % SHARDS) + (awaited?.has(shard) ? 0 : SHARDS);
  return free.sort((a, b) => place(a) - place(b));
}

function isFree({ me, hosts, now }: View, owner: Lease["owner"]): boolean {
  if (owner === null || owner.host === me.host) return true;
  const heartbeat = hosts.find(({ host }) => host === owner.host);
  if (heartbeat === undefined || heartbeat.inc !== owner.inc) return true;
  return now - heartbeat.since >= DEAD_AFTER_MS;
}
