/**
 * The fleet of avatar hosts, as the monitor knows it. Hosts tell it of their load by presence; operators ask it, through
 * web-api, by calls to its own address. It advises: who owns which shard is in the leases.
 *
 *     host ──presence with <load>, every 3 s──▶ monitor ◀──calls── web-api
 *     router ──<wake shard=…/> when something waits that nobody hosts──▶ monitor
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static } from "typebox";
import { SHARDS } from "./addresses.ts";
import { NS_BUS, payload, payloadOf } from "./payload.ts";

/** How often a host tells of its load (milliseconds). */
export const LOAD_EVERY_MS = 3_000;
/** Most avatar hosts of an installation: each has a password on the bus from the start. */
export const MOST_HOSTS = 16;

const Count = Type.Integer({ minimum: 0 });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const HostName = Type.String({ pattern: "^h[0-9]{1,3}$" });

export const OwnedShard = Type.Object({
  shard: Type.Integer({ minimum: 0, maximum: SHARDS - 1 }),
  epoch: Count,
});

/** What a host says of itself. Figures are those since it spoke last, where they are rates. */
export const HostLoad = Type.Object({
  /** The incarnation: new at every start. */
  inc: Type.String({ minLength: 1, maxLength: 80 }),
  shards: Type.Array(OwnedShard, { maxItems: SHARDS }),
  awakeAvatars: Count,
  commitsPerSecond: Type.Number({ minimum: 0 }),
  /** Share of the time in which the event loop worked, 0 to 1. */
  busy: Type.Number({ minimum: 0, maximum: 1 }),
  /** 99th percentile of how late the event loop was (milliseconds). */
  loopDelayMs: Type.Number({ minimum: 0 }),
  residentBytes: Count,
  /** Frames that no receiver has acknowledged. */
  framesWaiting: Count,
  parkedStreams: Count,
  /** When an alarm of any of its avatars is due next (epoch milliseconds); null: none is set. */
  nextAlarmAt: Nullable(Type.Number()),
});
export type HostLoad = Static<typeof HostLoad>;

/** The presence by which a host at `from` tells the monitor at `to` of its load. */
export function loadStanza(from: string, to: string, load: HostLoad): Element {
  return xml("presence", { from, to }, payload("load", {}, load));
}

/** A host that goes, in order. */
export function goneStanza(from: string, to: string): Element {
  return xml("presence", { from, to, type: "unavailable" });
}

/** The load in a presence; null when it says that the host goes. Throws MalformedError. */
export function readLoad(stanza: Element): HostLoad | null {
  if (stanza.attrs.type === "unavailable") return null;
  const load = stanza.getChild("load", NS_BUS);
  return payloadOf(HostLoad, load ?? stanza, "load");
}

/** `serving`: heard of lately; `starting`, `stopping`: by the monitor's word; `silent`: not heard of though it should run. */
export const HostState = Type.Enum(["serving", "starting", "stopping", "silent"]);
export type HostState = Static<typeof HostState>;

export const HostView = Type.Object({
  id: HostName,
  state: HostState,
  /** When it was heard of last (epoch milliseconds); null: never. */
  seenAt: Nullable(Type.Number()),
  load: Nullable(HostLoad),
});
export type HostView = Static<typeof HostView>;

/** What the monitor has decided, and why. */
export const FleetDecision = Type.Object({ at: Type.Number(), wanted: Count, reason: Type.String() });
export type FleetDecision = Static<typeof FleetDecision>;

export const FleetView = Type.Object({
  hosts: Type.Array(HostView),
  /** How many are wanted now, and between which numbers the monitor chooses. */
  wanted: Count,
  least: Count,
  most: Count,
  /** What keeps it from having as many as it wants; null: nothing. */
  problem: Nullable(Type.String()),
  /** Latest first. */
  decisions: Type.Array(FleetDecision),
});
export type FleetView = Static<typeof FleetView>;

/** How far back the monitor's record goes, and how fine it is. */
export const RecordRange = Type.Enum(["1h", "24h", "7d"]);
export type RecordRange = Static<typeof RecordRange>;

/** How the fleet did at one time: sums over the hosts that served, and the worst of them where that says more. */
export const FleetSample = Type.Object({
  at: Type.Number(),
  hosts: Count,
  shards: Count,
  awakeAvatars: Count,
  commitsPerSecond: Type.Number(),
  /** Of the busiest host. */
  busy: Type.Number(),
  loopDelayMs: Type.Number(),
  residentBytes: Count,
  framesWaiting: Count,
});
export type FleetSample = Static<typeof FleetSample>;

/** A part of {@link CALLS}, see calls.ts: to the monitor. */
export const FLEET_CALLS = {
  fleet: {
    args: Type.Object({}, { additionalProperties: false }),
    result: FleetView,
    may: "operator",
    changes: false,
  },
  /** What it has measured, oldest first. */
  fleetRecord: {
    args: Type.Object({ range: RecordRange }),
    result: Type.Object({ samples: Type.Array(FleetSample) }),
    may: "operator",
    changes: false,
  },
  /** At least so many hosts, from now on. Error `not-acceptable` with what is possible. */
  scaleTo: {
    args: Type.Object({ hosts: Type.Integer() }),
    result: FleetView,
    may: "operator",
    changes: true,
  },
  /** The host gives its shards to others and ends. Error `item-not-found`; `not-acceptable` for the last one. */
  drainHost: {
    args: Type.Object({ id: HostName }),
    result: FleetView,
    may: "operator",
    changes: true,
  },
} as const;
