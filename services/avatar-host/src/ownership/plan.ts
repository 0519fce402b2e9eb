/**
 * Which shards a host takes and gives back in one round. Pure: what was read and the own monotonic clock come in as values.
 *
 * A shard is free when nobody has it, when its owner's heartbeat has stood still for 10 s of the own clock, or when its
 * owner lives again as another incarnation. Taking a shard from an owner that is not dead is a waste, never a danger: the
 * journal's fence keeps it safe.
 */
import { SHARDS } from "@tidings/protocol";
import type { Heartbeat, Lease } from "@tidings/store";

/** A heartbeat that stands still for this long belongs to a dead host (milliseconds). */
export const DEAD_AFTER_MS = 10_000;
/** Shards taken and given back in one round: hand-overs come in small steps. */
const TAKES = 16;
const RELEASES = 4;

export interface Observed extends Heartbeat {
  /** When this heartbeat was first seen with its present number, on the own monotonic clock (milliseconds). */
  readonly since: number;
}

export interface View {
  readonly me: { readonly host: string; readonly inc: string };
  readonly leases: readonly Lease[];
  readonly hosts: readonly Observed[];
  readonly owned: ReadonlySet<number>;
  /** Own monotonic clock (milliseconds). */
  readonly now: number;
}

export interface Plan {
  readonly take: readonly number[];
  readonly release: readonly number[];
}

/** The heartbeats with the time since which each stands still. */
export function observe(
  before: readonly Observed[],
  heartbeats: readonly Heartbeat[],
  now: number,
): Observed[] {
  return heartbeats.map((beat) => {
    const known = before.find(({ host }) => host === beat.host);
    return known !== undefined && known.inc === beat.inc && known.hb === beat.hb
      ? known
      : { ...beat, since: now };
  });
}

/** What to do now: up to the fair share, which all living hosts work out alike. */
export function planRound(view: View): Plan {
  const living = view.hosts.filter(
    ({ host, since }) => host === view.me.host || view.now - since < DEAD_AFTER_MS,
  );
  const fair = Math.ceil(SHARDS / Math.max(1, living.length));
  const free = freeShards(view);
  const room = Math.max(0, fair - view.owned.size);
  const surplus = Math.max(0, view.owned.size - fair);
  return {
    take: free.slice(0, Math.min(room, TAKES)),
    release: [...view.owned].slice(0, Math.min(surplus, RELEASES)),
  };
}

/** In an order of the host's own, so that hosts that start together do not race for the same shards. */
function freeShards({ me, leases, hosts, owned, now }: View): number[] {
  const byShard = new Map(leases.map((lease) => [lease.shard, lease]));
  const all = Array.from({ length: SHARDS }, (_, shard) => shard);
  const free = all.filter((shard) => {
    if (owned.has(shard)) return false;
    const owner = byShard.get(shard)?.owner ?? null;
    if (owner === null) return true;
    const heartbeat = hosts.find(({ host }) => host === owner.host);
    if (heartbeat === undefined || heartbeat.inc !== owner.inc) return true;
    return owner.host !== me.host && now - heartbeat.since >= DEAD_AFTER_MS;
  });
  const place = hosts
    .map(({ host }) => host)
    .sort()
    .indexOf(me.host);
  const turn = Math.floor((Math.max(0, place) * SHARDS) / Math.max(1, hosts.length));
  return free.sort((a, b) => ((a - turn + SHARDS) % SHARDS) - ((b - turn + SHARDS) % SHARDS));
}
