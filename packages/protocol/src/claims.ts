/**
 * What an avatar host and the avatar router (the Erlang module that owns the silo domain) say to each other.
 *
 *     unowned ──claim epoch n──▶ claimed (still spooling) ──ready──▶ serving ──unclaim, or the host is gone──▶ unowned
 *
 * All three are IQs of type set from the host's own address to the shard (`_17@s1.avatars.D`), answered by the router: an
 * empty result, or an error `conflict` whose `<stale epoch="…"/>` names the highest epoch that it has seen.
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static } from "typebox";
import { type Shard, shardLocalpart } from "./addresses.ts";
import { NS_BUS, payload, payloadOf } from "./payload.ts";

export type ClaimStep = "claim" | "ready" | "unclaim";

/** The IQ by which `host` takes one step of a claim on `shard` with `epoch`. The sender adds the id. */
export function claimStanza(
  step: ClaimStep,
  host: string,
  silo: string,
  shard: Shard,
  epoch: number,
): Element {
  return xml(
    "iq",
    { type: "set", from: host, to: `${shardLocalpart(shard)}@${silo}` },
    payload(step, { epoch: String(epoch) }),
  );
}

/** What the router sends to a host that it has deposed: `<revoked epoch="5"/>` in a message from the shard. */
export const REVOKED = "revoked";
/** What the router sends to the monitor every second while an unowned shard has mail: `<wake shard="17" spooled="3"/>`. */
export const WAKE = "wake";
/**
 * What a host that has given a shard back sends to the other hosts, so that one of them takes it at once:
 * `<free shard="17"/>`, or with `for="h2"` when it was given to one of them.
 */
export const FREE = "free";
/**
 * What a host that is about to give a shard back asks the host that will have it, by an IQ of type get: to read the avatars
 * that have a long history now, while they are still served. Answered with an empty result when they have been read.
 */
export const PREPARE = "prepare";
/** What web-api or the monitor asks a host by an IQ of type set: `<hand-over shard="17" to="h2"/>`. */
export const HAND_OVER = "hand-over";

/** What the router answers about itself, with the state of each shard. */
export const COUNTERS = "counters";

/** The IQ by which `from` asks the router of `silo` for its counters. The sender adds the id. */
export function countersStanza(from: string, silo: string): Element {
  return xml("iq", { type: "get", from, to: silo }, payload(COUNTERS, {}));
}

const Counters = Type.Object({
  shards: Type.Array(Type.Object({ shard: Type.Integer(), state: Type.String(), isAwaited: Type.Boolean() })),
});

/** The shards that nobody has claimed and that somebody waits for, in an answer to {@link countersStanza}. Throws MalformedError. */
export function readAwaited(answer: Element): Set<Shard> {
  const { shards } = payloadOf(Counters, answer.getChild(COUNTERS, NS_BUS) ?? answer, COUNTERS);
  const awaited = shards.filter(({ state, isAwaited }) => state === "unowned" && isAwaited);
  return new Set(awaited.map(({ shard }) => shard));
}

/** The message by which `host` tells the host `to` that `shard` is free: for the host named `forHost`, or (null) for whoever has room. */
export function freeStanza(host: string, to: string, shard: Shard, forHost: string | null = null): Element {
  const attributes = { shard: String(shard), ...(forHost === null ? {} : { for: forHost }) };
  return xml("message", { type: "normal", from: host, to }, payload(FREE, attributes));
}

/** What is in `<prepare shard="17">`. */
export const Preparation = Type.Object({
  avatars: Type.Array(Type.String({ minLength: 1, maxLength: 1_023 }), { maxItems: 64 }),
});
export type Preparation = Static<typeof Preparation>;

/** The IQ by which `host` asks the host `to` to read `avatars` of `shard`. The sender adds the id. */
export function prepareStanza(
  host: string,
  to: string,
  shard: Shard,
  avatars: Preparation["avatars"],
): Element {
  const value: Preparation = { avatars };
  return xml("iq", { type: "get", from: host, to }, payload(PREPARE, { shard: String(shard) }, value));
}

/** The IQ by which `from` asks the host at `host` to give `shard` to the host named `to`. The sender adds the id. */
export function handOverStanza(from: string, host: string, shard: Shard, to: string): Element {
  return xml("iq", { type: "set", from, to: host }, payload(HAND_OVER, { shard: String(shard), to }));
}
