/**
 * Between user avatars and agents. An avatar's shard sends *dispatches* (carry this out) and *asks* (who of these is
 * reachable?); an agent sends *reports*, and sends them again until the shard says that they are in its journal.
 *
 *     shard ──dispatches──▶ agent ──▶ the user's server
 *     shard ◀──reports id── agent        presence, what became of a delivery, "I am up"
 *     shard ──reported id─▶ agent        after the journal has them
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static } from "typebox";
import { type Shard, shardLocalpart } from "./addresses.ts";
import { ANSWER_CHARS, Notification } from "./notification.ts";
import { NS_BUS, payload, payloadOf } from "./payload.ts";

const Name = Type.String({ minLength: 1, maxLength: 80 });
const Jid = Type.String({ minLength: 1, maxLength: 3_071 });
const NullableString = Type.Union([Type.String({ maxLength: 500 }), Type.Null()]);
const NullableTime = Type.Union([Type.Number(), Type.Null()]);

/** Most entries in one message of dispatches or asks: a dispatch carries a whole notification. */
export const DELIVERY_BATCH = 50;
/** Most entries in one message of reports. Those of one user travel one message after the other, so it has to hold many. */
export const REPORT_BATCH = 200;

/** Most notifications that one digest holds. */
export const DIGEST_MEMBERS = 100;

/** Longest texts of a digest's members (characters). */
export const DIGEST_MEMBER_LIMITS = { title: 200, link: 500 } as const;

/** One notification of a digest, so short that a whole digest fits into one message of the bus. */
export const DigestMember = Type.Object({
  id: Type.String({ maxLength: 64 }),
  title: Type.String({ maxLength: DIGEST_MEMBER_LIMITS.title }),
  link: Type.Union([Type.String({ maxLength: DIGEST_MEMBER_LIMITS.link }), Type.Null()]),
  /** How the user calls its source. */
  sourceTitle: NullableString,
  /** Epoch milliseconds. */
  receivedAt: Type.Number(),
});
export type DigestMember = Static<typeof DigestMember>;

export const Dispatch = Type.Object({
  /** The user (localpart of the user avatar). */
  user: Name,
  /** Destination id and the address behind it: for `im` a bare JID, for `sms` a number in the form of E.164, for `email` an addr-spec, for `webhook` a URL. */
  destination: Name,
  address: Jid,
  /** What a message to it is signed with (for `webhook`). */
  secret: Type.Optional(Type.String({ maxLength: 100 })),
  /** 1 at first; a higher one tells the agent to send again what it has sent. */
  attempt: Type.Integer({ minimum: 1 }),
  /**
   * The first attempt since the user has asked for it again: from then on it is another message, which a client must not
   * take for a repeat. Absent when they never have.
   */
  wantedFrom: Type.Optional(Type.Integer({ minimum: 2 })),
  /** How the user calls the source. */
  sourceTitle: NullableString,
  /** Since when it was held, epoch milliseconds; null when it was not. */
  heldSinceAt: NullableTime,
  /** Of a digest, a short form of all that is in `members`. */
  notification: Notification,
  /** The id of an earlier message to the same address that this one takes the place of (for `im`). */
  corrects: Type.Optional(Type.String({ maxLength: 80 })),
  /** What a digest is made of, oldest first; absent when it is none. */
  members: Type.Optional(Type.Array(DigestMember, { maxItems: DIGEST_MEMBERS })),
  /** In whose clocks times are written (IANA), for channels that write some (`email`); UTC when it is absent. */
  zone: Type.Optional(Type.String({ maxLength: 64 })),
});
export type Dispatch = Static<typeof Dispatch>;
export const Dispatches = Type.Object({ dispatches: Type.Array(Dispatch, { maxItems: DELIVERY_BATCH }) });

/** Asks an agent for the presence of a user's addresses; it answers with a presence report for each. */
export const Ask = Type.Object({ user: Name, addresses: Type.Array(Jid, { maxItems: 50 }) });
export type Ask = Static<typeof Ask>;
export const Asks = Type.Object({ asks: Type.Array(Ask, { maxItems: DELIVERY_BATCH }) });

/** RFC 6121 §4.7.2.1, with `available` for no show element, and `offline`. */
export const Show = Type.Enum(["chat", "available", "away", "xa", "dnd", "offline"]);
export type Show = Static<typeof Show>;

/** What the agent saw of one resource. A report with a lower `order` than one seen from the same agent epoch is stale. */
export const PresenceReport = Type.Object({
  kind: Type.Literal("presence"),
  user: Name,
  /** Bare JID; `resource` is empty when all of its resources are meant (offline). */
  address: Jid,
  resource: Type.String({ maxLength: 1_023 }),
  show: Show,
  priority: Type.Integer({ minimum: -128, maximum: 127 }),
  idleSinceAt: NullableTime,
  order: Type.Integer({ minimum: 0 }),
});
export type PresenceReport = Static<typeof PresenceReport>;

/** How far a delivery came at the agent. */
export const ReportedState = Type.Enum(["handed", "received", "displayed", "acted", "refused"]);
export type ReportedState = Static<typeof ReportedState>;

/** Shortest and longest time for which a user can put something off (milliseconds). */
export const MIN_SNOOZE_MS = 60_000;
export const MAX_SNOOZE_MS = 30 * 24 * 3_600_000;

/** For how long the source of a notification is muted by whoever has enough of it for now (milliseconds). */
export const MUTE_MS = 7 * 24 * 3_600_000;

const Snooze = Type.Object({
  name: Type.Literal("snooze"),
  forMs: Type.Integer({ minimum: MIN_SNOOZE_MS, maximum: MAX_SNOOZE_MS }),
});

/** Says `said` to the source: the id or the label of an option, its number from 1, or words of the user's own. */
const SourceReply = Type.Object({
  name: Type.Literal("reply"),
  said: Type.String({ minLength: 1, maxLength: ANSWER_CHARS }),
});

/** What a user did in answer to a notification. `stop` and `start` concern the address, the others the notification. */
export const Deed = Type.Union([
  Type.Object({ name: Type.Enum(["ack", "more", "stop", "start", "help"]) }),
  Snooze,
  SourceReply,
]);
export type Deed = Static<typeof Deed>;

/** What a user can do in chat with what a message holds; `mute`: its source, for {@link MUTE_MS}. */
export const ChatDeed = Type.Union([
  Type.Object({ name: Type.Literal("ack") }),
  Type.Object({ name: Type.Literal("mute") }),
  Snooze,
  SourceReply,
]);
export type ChatDeed = Static<typeof ChatDeed>;

/** Longest sentence of a refusal, in UTF-16 units. */
export const MAX_REASON_CHARS = 500;

export const DeliveryReport = Type.Object({
  kind: Type.Literal("delivery"),
  user: Name,
  /** Notification id. */
  notification: Type.String({ maxLength: 64 }),
  destination: Name,
  attempt: Type.Integer({ minimum: 1 }),
  state: ReportedState,
  /** For `refused`: the stanza error's condition (RFC 6120 §8.3.3), and whether a later try may help. */
  condition: NullableString,
  mayRetry: Type.Boolean(),
  /** For `refused`: why, and what can be done about it, in a sentence for the user. */
  text: Type.Optional(Type.String({ maxLength: MAX_REASON_CHARS })),
  /** For `acted`: what the user did. The report with one `id` is one deed, however often it comes. */
  did: Type.Optional(Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }), deed: Deed })),
  at: Type.Number(),
});
export type DeliveryReport = Static<typeof DeliveryReport>;

/** The agent has started: what it said of presence under an earlier epoch is void. */
export const AgentUpReport = Type.Object({ kind: Type.Literal("agentUp") });
export type AgentUpReport = Static<typeof AgentUpReport>;

export const Report = Type.Union([PresenceReport, DeliveryReport, AgentUpReport]);
export type Report = Static<typeof Report>;

export const Reports = Type.Object({
  /** Grows with every start of the agent. */
  agentEpoch: Type.Integer({ minimum: 1 }),
  reports: Type.Array(Report, { maxItems: REPORT_BATCH }),
});
export type Reports = Static<typeof Reports>;

/** What a shard says, and the epoch in which its owner says it: who watches the bus sees that no deposed owner is heard. */
export interface Speaker {
  readonly siloDomain: string;
  readonly shard: Shard;
  readonly epoch: number;
}

/** `<dispatches epoch="…">` from a shard to the agent at `agent`. */
export function dispatchesStanza(
  { siloDomain, shard, epoch }: Speaker,
  agent: string,
  dispatches: readonly Dispatch[],
): Element {
  const attributes = { epoch: String(epoch) };
  const from = `${shardLocalpart(shard)}@${siloDomain}`;
  return message(from, agent, payload("dispatches", attributes, { dispatches }));
}

/** `<asks epoch="…">` from a shard to the agent at `agent`. */
export function asksStanza(
  { siloDomain, shard, epoch }: Speaker,
  agent: string,
  asks: readonly Ask[],
): Element {
  const from = `${shardLocalpart(shard)}@${siloDomain}`;
  return message(from, agent, payload("asks", { epoch: String(epoch) }, { asks }));
}

/** `<reports id="…">` from the agent at `agent` to a shard; sent again with the same id until {@link reportedStanza} comes. */
export function reportsStanza(
  agent: string,
  siloDomain: string,
  to: Shard,
  id: string,
  reports: Reports,
): Element {
  return message(agent, `${shardLocalpart(to)}@${siloDomain}`, payload("reports", { id }, reports));
}

/**
 * `<reported id="…" epoch="…"/>`: the reports with that id are in the journal. `agentEpoch` is the highest that the shard
 * has seen: an agent whose clock went back learns from it that its own is too low to count.
 */
export function reportedStanza(
  siloDomain: string,
  from: Shard,
  agent: string,
  id: string,
  agentEpoch: number,
): Element {
  const attributes = { id, epoch: String(agentEpoch) };
  return message(`${shardLocalpart(from)}@${siloDomain}`, agent, payload("reported", attributes));
}

export const readDispatches = (element: Element) => payloadOf(Dispatches, element, "dispatches").dispatches;
export const readAsks = (element: Element) => payloadOf(Asks, element, "asks").asks;
export const readReports = (element: Element) => payloadOf(Reports, element, "reports");

/** The child of `stanza` in the project's namespace, or undefined. */
export function busChild(stanza: Element): Element | undefined {
  return stanza.getChildElements().find((child) => child.attrs.xmlns === NS_BUS);
}

function message(from: string, to: string, child: Element): Element {
  return xml("message", { type: "normal", from, to }, child);
}
