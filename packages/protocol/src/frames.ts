/**
 * Frames carry events from shard to shard: numbered per ordered pair of shards, resent until acknowledged, applied once.
 *
 *     sender    outbox: 5 6 7 8 ──frame 5,6,7──▶  receiver   applied: 4 → 7, in commits
 *               outbox:       8 ◀──ack upto 7──
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static } from "typebox";
import { type Shard, shardLocalpart } from "./addresses.ts";
import { AddressedEvent } from "./events.ts";
import { integerAttribute, jsonElement, NS_BUS, payload, payloadOf } from "./payload.ts";

/** Most recipients of all events of a frame together. */
export const FRAME_RECIPIENTS = 200;
/** Most bytes of a frame's JSON. */
export const FRAME_BYTES = 60_000;
/** Most frames that a sender keeps in flight on one stream; the receiver may say less. */
export const FRAME_WINDOW = 32;

export const FrameBody = Type.Object({
  /** When the sender sealed it, epoch milliseconds. */
  sealedAt: Type.Optional(Type.Number()),
  events: Type.Array(AddressedEvent),
});
export type FrameBody = Static<typeof FrameBody>;

export interface FrameHeader {
  /** The sending shard: one stream per ordered pair. */
  readonly stream: Shard;
  readonly seq: number;
  /** Epoch of the sending owner, for the log; the receiver goes by `seq` alone. */
  readonly epoch: number;
}

/** A frame as a message stanza. `json` is a serialised {@link FrameBody}, as it stands in the outbox. */
export function frameStanza(siloDomain: string, to: Shard, header: FrameHeader, json: string): Element {
  const { stream, seq, epoch } = header;
  return xml(
    "message",
    {
      type: "normal",
      from: `${shardLocalpart(stream)}@${siloDomain}`,
      to: `${shardLocalpart(to)}@${siloDomain}`,
      id: `f:${stream}:${to}:${seq}`,
    },
    xml(
      "frame",
      { xmlns: NS_BUS, stream: String(stream), seq: String(seq), epoch: String(epoch) },
      jsonElement(json),
    ),
  );
}

/** Reads `<frame>`. Throws MalformedError. */
export function readFrame(element: Element): FrameHeader & { readonly body: FrameBody } {
  return {
    stream: integerAttribute(element, "stream"),
    seq: integerAttribute(element, "seq"),
    epoch: integerAttribute(element, "epoch"),
    body: payloadOf(FrameBody, element, "frame"),
  };
}

export interface FrameAck {
  /** The sending shard's stream that is acknowledged. */
  readonly stream: Shard;
  /** Highest sequence applied and in the journal; all below are too. */
  readonly upto: number;
  /** How many frames beyond `upto` the receiver will take now; 0 = stop. */
  readonly credit: number;
}

/** An acknowledgement from shard `from` to the sender of the stream. It may be lost: acks are cumulative. */
export function ackStanza(siloDomain: string, from: Shard, ack: FrameAck): Element {
  return xml(
    "message",
    {
      type: "normal",
      from: `${shardLocalpart(from)}@${siloDomain}`,
      to: `${shardLocalpart(ack.stream)}@${siloDomain}`,
    },
    payload("ack", { stream: String(ack.stream), upto: String(ack.upto), credit: String(ack.credit) }),
  );
}

/** Reads `<ack>`. Throws MalformedError. */
export function readAck(element: Element): FrameAck {
  return {
    stream: integerAttribute(element, "stream"),
    upto: integerAttribute(element, "upto"),
    credit: integerAttribute(element, "credit"),
  };
}

/** Tells shard `to` that shard `from` serves again, so that it resends at once what waits in its outbox. */
export function shardUpStanza(siloDomain: string, from: Shard, to: Shard): Element {
  return xml(
    "message",
    {
      type: "normal",
      from: `${shardLocalpart(from)}@${siloDomain}`,
      to: `${shardLocalpart(to)}@${siloDomain}`,
    },
    payload("shard-up", { shard: String(from) }),
  );
}
