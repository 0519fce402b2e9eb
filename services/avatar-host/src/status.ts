/** How a host is doing, asked by an IQ of type get with `<status xmlns="urn:tidings:bus:1"/>` to the host's own address. */
import type { Bus } from "@tidings/bus";
import { type Addresses, busChild, type Element, payload, splitJid, xml } from "@tidings/protocol";

import type { Shard } from "./shard/shard.ts";

export interface HostStatus {
  /** Shards that the host serves. */
  readonly shards: number;
  readonly awakeAvatars: number;
  /** Frames that the receiving shards have not acknowledged yet: 0 = all that was told is in the receivers' journals. */
  readonly framesWaiting: number;
  /** Streams that wait for hours without a word from their receivers: a person must look. */
  readonly parkedStreams: number;
}

/** Answers `stanza` when it asks for the status and comes from the agents or the monitor; false when it is something else. */
export function answerStatus(
  stanza: Element,
  bus: Bus,
  addresses: Addresses,
  status: () => HostStatus,
): boolean {
  const { from, to, id, type } = stanza.attrs;
  if (!stanza.is("iq") || type !== "get" || busChild(stanza)?.name !== "status") return false;
  const { domain } = splitJid(from ?? "");
  if (domain !== addresses.monitor && !domain.endsWith(`.${addresses.agents}`)) return false;
  void bus.send(xml("iq", { type: "result", from: to, to: from, id }, payload("status", {}, status())));
  return true;
}

/** The status of a host that serves `shards`. */
export function statusOf(shards: readonly Shard[], awakeAvatars: number): HostStatus {
  const sum = (figure: (shard: Shard) => number) => shards.reduce((total, shard) => total + figure(shard), 0);
  return {
    shards: shards.length,
    awakeAvatars,
    framesWaiting: sum((shard) => shard.framesWaiting),
    parkedStreams: sum((shard) => shard.parkedStreams.length),
  };
}
