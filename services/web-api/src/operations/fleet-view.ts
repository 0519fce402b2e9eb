/** What the monitor says of the hosts, as operators read it. */
import { type FleetView, SHARDS } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { List, literals, Nullable, Time } from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";

const Figure = Nullable(Type.Number());
const HostItem = Type.Object({
  id: Type.String({ examples: ["h1"] }),
  state: literals(["serving", "starting", "stopping", "silent"]),
  seenAt: Nullable(Time),
  shards: Type.Integer({ description: "How many it serves." }),
  awakeAvatars: Figure,
  commitsPerSecond: Figure,
  busy: Nullable(Type.Number({ description: "Share of the time in which its event loop worked, 0 to 1." })),
  loopDelayMs: Nullable(Type.Number({ description: "How late the event loop was, 99th percentile." })),
  residentBytes: Figure,
  framesWaiting: Nullable(Type.Number({ description: "Frames that no receiver has acknowledged." })),
  parkedStreams: Figure,
});

export const Hosts = Type.Object({
  ...List(HostItem).properties,
  wanted: Type.Integer(),
  least: Type.Integer(),
  most: Type.Integer(),
  problem: Nullable(Type.String({ description: "What keeps the monitor from having as many as it wants." })),
  decisions: Type.Array(Type.Object({ at: Time, wanted: Type.Integer(), reason: Type.String() })),
});

export const ShardItem = Type.Object({
  shard: Type.Integer(),
  host: Nullable(Type.String({ description: "Null: no host says that it serves it." })),
  epoch: Nullable(Type.Integer()),
});

export type Hosts = Static<typeof Hosts>;
export type ShardItem = Static<typeof ShardItem>;

/** The hosts, and what the monitor wants, as the interface shows them. */
export function hostsOf({ hosts, decisions, ...view }: FleetView): Hosts {
  const items = hosts.map(({ id, state, seenAt, load }) => ({
    id,
    state,
    seenAt: rfc3339OrNull(seenAt),
    shards: load?.shards.length ?? 0,
    awakeAvatars: load?.awakeAvatars ?? null,
    commitsPerSecond: load?.commitsPerSecond ?? null,
    busy: load?.busy ?? null,
    loopDelayMs: load?.loopDelayMs ?? null,
    residentBytes: load?.residentBytes ?? null,
    framesWaiting: load?.framesWaiting ?? null,
    parkedStreams: load?.parkedStreams ?? null,
  }));
  const told = decisions.map(({ at, ...decision }) => ({ at: rfc3339(at), ...decision }));
  return { items, next: null, ...view, decisions: told };
}

/** Of two that say they serve a shard, the one with the higher epoch does. */
export function shardsOf({ hosts }: FleetView): ShardItem[] {
  const owners = new Map<number, { readonly host: string; readonly epoch: number }>();
  for (const { id, state, load } of hosts) {
    if (state === "silent") continue;
    for (const { shard, epoch } of load?.shards ?? [])
      if ((owners.get(shard)?.epoch ?? -1) < epoch) owners.set(shard, { host: id, epoch });
  }
  return Array.from({ length: SHARDS }, (_, shard) => {
    const owner = owners.get(shard);
    return { shard, host: owner?.host ?? null, epoch: owner?.epoch ?? null };
  });
}
