/** How a user avatar shows its data to web-api and agents. Times are epoch milliseconds; web-api turns them into RFC 3339. */
import Type, { type Static } from "typebox";
import { Show } from "./deliveries.ts";
import { SourceState } from "./events.ts";
import { Enclosure, MailSender, ReplyOption } from "./notification.ts";
import { Priority } from "./priority.ts";

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const SubscriptionView = Type.Object({
  id: Type.String(),
  /** The canonical address of the feed. */
  source: Type.String(),
  title: Type.String(),
  state: SourceState,
  problem: Nullable(Type.String()),
  priority: Priority,
  /** What it lets through, as in the rules; null: everything. */
  filter: Nullable(Type.Unknown()),
  /** Whether later states of what it has told are told too. */
  edits: Type.Boolean(),
  createdAt: Type.Number(),
});
export type SubscriptionView = Static<typeof SubscriptionView>;

/** The states of a delivery at one destination, in the order in which they are usually passed. */
export const DeliveryState = Type.Enum([
  "held",
  "dispatched",
  "handed",
  "received",
  "displayed",
  "acted",
  "refused",
  "expired",
  "skipped",
]);
export type DeliveryState = Static<typeof DeliveryState>;

export const Channel = Type.Enum(["im", "sms", "email", "web", "feed", "webhook"]);
export type Channel = Static<typeof Channel>;

export const DeliveryView = Type.Object({
  /** Destination id. */
  destination: Type.String(),
  channel: Channel,
  state: DeliveryState,
  at: Type.Number(),
  reason: Type.String(),
});
export type DeliveryView = Static<typeof DeliveryView>;

export const HistoryItem = Type.Object({
  id: Type.String(),
  /** Subscription id (the source's localpart) and what the user calls the source. */
  source: Type.String(),
  sourceTitle: Type.String(),
  title: Type.String(),
  link: Nullable(Type.String()),
  summary: Nullable(Type.String()),
  author: Nullable(Type.String()),
  publishedAt: Nullable(Type.Number()),
  receivedAt: Type.Number(),
  /** What the user can answer, and until when (null: for as long as it is kept); absent when nobody waits for an answer. */
  options: Type.Optional(Type.Array(ReplyOption)),
  answerUntilAt: Type.Optional(Nullable(Type.Number())),
  categories: Type.Optional(Type.Array(Type.String())),
  enclosures: Type.Optional(Type.Array(Enclosure)),
  image: Type.Optional(Type.String()),
  /** The id of the notification of which it is a later state. */
  editOf: Type.Optional(Type.String()),
  /** Of a mail. */
  sender: Type.Optional(MailSender),
  unsubscribe: Type.Optional(Type.String()),
  state: Type.Union([DeliveryState, Type.Enum(["unread", "read", "acked", "snoozed"])]),
  deliveries: Type.Array(DeliveryView),
});
export type HistoryItem = Static<typeof HistoryItem>;

/** Why a destination is used, waited for or left out; beside it stands a sentence for people. */
export const ReasonCode = Type.Enum([
  "reachable",
  "nextRung",
  "bundled",
  "offline",
  "unmet",
  "retrying",
  "inLine",
  "wait",
  "unconfirmed",
  "paused",
  "snoozed",
  "quiet",
  "digest",
  "burst",
  "heldDigest",
  "reachedElsewhere",
  "acted",
  "filtered",
  "muted",
  "duplicate",
  "notOnLadder",
  "smsBudget",
]);
export type ReasonCode = Static<typeof ReasonCode>;

/** One step in the life of a notification: a decision of the avatar or a report of an agent. */
export const TraceStep = Type.Object({
  at: Type.Number(),
  destination: Nullable(Type.String()),
  state: Nullable(DeliveryState),
  what: Type.String(),
  /** Of a decision; a report has none. */
  because: Type.Optional(ReasonCode),
});
export type TraceStep = Static<typeof TraceStep>;

export const HistoryItemWithTrace = Type.Object({ ...HistoryItem.properties, trace: Type.Array(TraceStep) });
export type HistoryItemWithTrace = Static<typeof HistoryItemWithTrace>;

/** Most notifications of a message that are shown one by one. */
export const SHOWN_OF_MESSAGE = 10;

/** What one message to an address held. */
export const MessageView = Type.Object({
  /** Its id, which names the same message when it is asked for again. */
  message: Type.String(),
  /** How many notifications: several in a digest, of which the first are in `items`. */
  count: Type.Integer({ minimum: 1 }),
  items: Type.Array(HistoryItemWithTrace, { minItems: 1, maxItems: SHOWN_OF_MESSAGE }),
  /** In whose clocks the user reads times (IANA). */
  zone: Type.String(),
});
export type MessageView = Static<typeof MessageView>;

/** What a user has done something with. */
export const AnsweredView = Type.Object({
  count: Type.Integer({ minimum: 1 }),
  /** Of the first notification, and how the user calls its source. */
  title: Type.String(),
  sourceTitle: Type.String(),
  zone: Type.String(),
});
export type AnsweredView = Static<typeof AnsweredView>;

export const DestinationView = Type.Object({
  id: Type.String(),
  channel: Channel,
  address: Type.String(),
  state: Type.Enum(["unverified", "verified", "disabled"]),
  /** What to send from the address to the agent to prove that it is the user's; null once verified. */
  code: Nullable(Type.String()),
  /** Until when the code counts. */
  codeUntilAt: Nullable(Type.Number()),
  problem: Nullable(Type.String()),
  /** What is posted to a webhook is signed with this. */
  secret: Type.Optional(Type.String()),
});
export type DestinationView = Static<typeof DestinationView>;

export const PresenceView = Type.Object({
  address: Type.String(),
  resource: Type.String(),
  show: Show,
  priority: Type.Integer(),
  idleSinceAt: Nullable(Type.Number()),
});
export type PresenceView = Static<typeof PresenceView>;

export const ProfileView = Type.Object({
  name: Type.String(),
  jid: Type.String(),
  agent: Type.String(),
  createdAt: Type.Number(),
  /** Deliveries are held until then; null when not paused. */
  pausedUntilAt: Nullable(Type.Number()),
  presence: Type.Array(PresenceView),
  limits: Type.Object({ subscriptions: Type.Integer(), destinations: Type.Integer() }),
  /** In whose clocks the user reads times (IANA). */
  zone: Type.String(),
  /** The localpart of the oldest address for mail; null when all are removed. */
  inbox: Nullable(Type.String()),
});
export type ProfileView = Static<typeof ProfileView>;
