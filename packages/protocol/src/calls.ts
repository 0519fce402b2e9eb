/**
 * Calls: request and answer to a user avatar, as IQ. What changes something carries an operation id `op`: the avatar
 * keeps the answer under it for a day, and a repeated call gets that answer and changes nothing again.
 *
 * Who may: `session` is the secret of a session or API token; `jid` is a bare JID for which an agent vouches (it came from
 * the user's server) and which the avatar compares with its verified destinations. Calls without either are only those
 * that web-api makes before a session exists, see {@link CALLS}.
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static, type TSchema } from "typebox";
import { ACCESS_CALLS } from "./access-calls.ts";
import { AGENT_CHANNELS } from "./addresses.ts";
import { ChatDeed, MAX_SNOOZE_MS, MIN_SNOOZE_MS } from "./deliveries.ts";
import { FLEET_CALLS } from "./fleet.ts";
import { FEED_CALLS } from "./hubs.ts";
import { LIVE_CALLS } from "./live-calls.ts";
import { ANSWER_CHARS, OPTION_LIMITS } from "./notification.ts";
import { OPERATOR_CALLS } from "./operator-calls.ts";
import { OWN_SOURCE_CALLS } from "./own-source-calls.ts";
import { NS_BUS, payload, payloadOf } from "./payload.ts";
import { Priority } from "./priority.ts";
import { RulesAnswer, RulesView, SimulateArgs, Simulation } from "./rules/simulation.ts";
import {
  AnsweredView,
  DestinationView,
  HistoryItem,
  HistoryItemWithTrace,
  MessageView,
  ProfileView,
  SubscriptionView,
} from "./views.ts";

const Id = Type.String({ minLength: 1, maxLength: 100 });
const None = Type.Object({}, { additionalProperties: false });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Title = Type.String({ minLength: 1, maxLength: 200 });

/** What a private feed can be of: everything, what the user has not acknowledged, or what is held. */
export const PrivateFeedOf = Type.Enum(["all", "unacknowledged", "held"]);
export type PrivateFeedOf = Static<typeof PrivateFeedOf>;

const FeedLink = Type.Object({ secret: Nullable(Type.String()), createdAt: Nullable(Type.Number()) });

/** Most subscriptions and destinations of a user. */
export const USER_LIMITS = { subscriptions: 200, destinations: 20 } as const;

/**
 * Every call: what goes in, what comes out, and who may make it. `service` = web-api alone, without a session;
 * `anyone` = agents before they know whether the address belongs to the user; `operator` = web-api, to a shard itself, for
 * somebody who has shown the operators' token.
 */
export const CALLS = {
  /** Reserves the avatar for a sign-up. `creating` again for a sign-up that was cut off; error `conflict` when taken. */
  beginSignUp: {
    args: None,
    result: Type.Object({ state: Type.Literal("creating") }),
    may: "service",
    changes: true,
  },
  /** The IM account exists: the avatar is the user's from now on. */
  finishSignUp: { args: None, result: ProfileView, may: "service", changes: true },
  ...ACCESS_CALLS,
  profile: { args: None, result: ProfileView, may: "user", changes: false },
  /** Ends the user's data: subscriptions at the sources, history, destinations, sessions. */
  erase: { args: None, result: None, may: "user", changes: true },
  exportAll: {
    args: Type.Object({ cursor: Nullable(Type.String()) }),
    result: Type.Object({
      rows: Type.Array(Type.Object({ key: Type.String(), value: Type.Unknown() })),
      next: Nullable(Type.String()),
    }),
    may: "user",
    changes: false,
  },
  pause: { args: Type.Object({ untilAt: Type.Number() }), result: ProfileView, may: "user", changes: true },
  resume: { args: None, result: ProfileView, may: "user", changes: true },

  /**
   * Subscribes to the feed at the canonical address `url`, or to the publisher with the share token in its place. The answer waits until the source has its baseline, at most
   * 10 s: what is published after the answer will be told. `created` is false when it was subscribed before.
   */
  subscribe: {
    args: Type.Object({
      url: Type.String({ maxLength: 2_000 }),
      title: Nullable(Title),
      priority: Nullable(Priority),
      /** As in the rules; of a subscription that there was before it stays as it is. */
      filter: Type.Optional(Type.Unknown()),
      /** Whether later states of what it has told are told too; of a subscription that there was before it stays as it is. */
      edits: Type.Optional(Type.Boolean()),
      /** Answers without waiting for the baseline: of many, how each is doing is read later. */
      atOnce: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({ created: Type.Boolean(), subscription: SubscriptionView }),
    may: "user",
    changes: true,
  },
  subscriptions: {
    args: None,
    result: Type.Object({ items: Type.Array(SubscriptionView) }),
    may: "user",
    changes: false,
  },
  subscription: { args: Type.Object({ id: Id }), result: SubscriptionView, may: "user", changes: false },
  changeSubscription: {
    args: Type.Object({
      id: Id,
      title: Type.Optional(Title),
      priority: Type.Optional(Priority),
      /** As in the rules; null takes it away. */
      filter: Type.Optional(Type.Unknown()),
      /** Error `not-acceptable` when it is no feed. */
      edits: Type.Optional(Type.Boolean()),
    }),
    result: SubscriptionView,
    may: "user",
    changes: true,
  },
  unsubscribe: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },

  ...OWN_SOURCE_CALLS,
  ...FEED_CALLS,
  ...LIVE_CALLS,
  ...FLEET_CALLS,

  /** Newest first. `cursor` is the `next` of the page before. */
  history: {
    args: Type.Object({
      limit: Type.Integer({ minimum: 1, maximum: 200 }),
      cursor: Nullable(Type.String({ maxLength: 100 })),
      source: Nullable(Id),
      q: Nullable(Type.String({ maxLength: 200 })),
      state: Nullable(Type.String({ maxLength: 20 })),
    }),
    result: Type.Object({ items: Type.Array(HistoryItem), next: Nullable(Type.String()) }),
    may: "user",
    changes: false,
  },
  historyItem: { args: Type.Object({ id: Id }), result: HistoryItemWithTrace, may: "user", changes: false },

  /** The user has read it on the page: a wait for proof that they have it is over. */
  markRead: { args: Type.Object({ id: Id }), result: HistoryItemWithTrace, may: "user", changes: true },
  /** The user has seen to it: what is held of it is left out. */
  acknowledge: { args: Type.Object({ id: Id }), result: HistoryItemWithTrace, may: "user", changes: true },
  /** It comes again after `forMs` (milliseconds). */
  snooze: {
    args: Type.Object({ id: Id, forMs: Type.Integer({ minimum: MIN_SNOOZE_MS, maximum: MAX_SNOOZE_MS }) }),
    result: HistoryItemWithTrace,
    may: "user",
    changes: true,
  },
  /** It comes again now. */
  redeliver: { args: Type.Object({ id: Id }), result: HistoryItemWithTrace, may: "user", changes: true },

  /** Answers its source with one of its options. Error `not-acceptable` when it has none such, or is answered too late. */
  reply: {
    args: Type.Object({
      id: Id,
      option: Nullable(Type.String({ maxLength: OPTION_LIMITS.id })),
      text: Nullable(Type.String({ maxLength: ANSWER_CHARS })),
    }),
    result: HistoryItemWithTrace,
    may: "user",
    changes: true,
  },

  /** The secret in the address of the user's private feed; null when it has none. */
  feedLink: { args: None, result: FeedLink, may: "user", changes: false },
  /** Gives the private feed a new address; the one before ends. */
  rotateFeed: { args: None, result: FeedLink, may: "user", changes: true },
  endFeed: { args: None, result: None, may: "user", changes: true },
  /** What is in the private feed, newest first. Error `item-not-found` when the secret is not the one in its address. */
  feed: {
    args: Type.Object({ secret: Type.String({ maxLength: 200 }), of: PrivateFeedOf }),
    result: Type.Object({ items: Type.Array(HistoryItem) }),
    may: "service",
    changes: false,
  },

  /** What the message with the id `message` held, or the last that went to the address that asks (null). */
  messageSent: {
    args: Type.Object({ message: Nullable(Id) }),
    result: MessageView,
    may: "user",
    changes: false,
  },
  /** The user does something with what that message held, at the address that asks. */
  answerMessage: {
    args: Type.Object({ message: Nullable(Id), deed: ChatDeed }),
    result: AnsweredView,
    may: "user",
    changes: true,
  },

  /** The rules in force; version 0 are the default ones. */
  rules: { args: None, result: RulesView, may: "user", changes: false },
  /** Replaces the rules when their version is still `ifVersion` (null = whatever it is). Refused ones change nothing. */
  putRules: {
    args: Type.Object({ rules: Type.Unknown(), ifVersion: Nullable(Type.Integer({ minimum: 0 })) }),
    result: RulesAnswer,
    may: "user",
    changes: true,
  },
  /** What would be decided, with nothing sent or kept. */
  simulate: { args: SimulateArgs, result: Simulation, may: "user", changes: false },

  destinations: {
    args: None,
    result: Type.Object({ items: Type.Array(DestinationView) }),
    may: "user",
    changes: false,
  },
  /**
   * Adds an address, unverified. For `im` it is a bare JID, and the code is to be sent from it to the agent; for `sms` (E.164)
   * and `email` (addr-spec) the code is sent there.
   */
  addDestination: {
    args: Type.Object({ channel: Type.Enum(AGENT_CHANNELS), address: Type.String({ maxLength: 3_071 }) }),
    result: Type.Object({ created: Type.Boolean(), destination: DestinationView }),
    may: "user",
    changes: true,
  },
  removeDestination: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },

  /** The code that was sent to the destination. Error `not-authorized` when it is wrong, out of date or tried 5 times. */
  verifyDestination: {
    args: Type.Object({ id: Id, code: Type.String({ maxLength: 40 }) }),
    result: DestinationView,
    may: "user",
    changes: true,
  },
  /** Sends a message that says that it is a test. */
  testDestination: { args: Type.Object({ id: Id }), result: DestinationView, may: "user", changes: true },

  /** What an agent may know of an address: does this avatar exist, and is the address one of its own? */
  addressStanding: {
    args: Type.Object({ address: Type.String({ maxLength: 3_071 }) }),
    result: Type.Object({
      standing: Type.Enum(["verified", "unverified", "stranger", "noUser"]),
    }),
    may: "anyone",
    changes: false,
  },
  /** A code as it was sent from `address`. Error `not-authorized` when it is wrong, out of date or tried 5 times. */
  verifyAddress: {
    args: Type.Object({ address: Type.String({ maxLength: 3_071 }), code: Type.String({ maxLength: 40 }) }),
    result: DestinationView,
    may: "anyone",
    changes: true,
  },

  ...OPERATOR_CALLS,
} as const satisfies Record<string, CallShape>;

interface CallShape {
  readonly args: TSchema;
  readonly result: TSchema;
  readonly may: "service" | "user" | "anyone" | "operator";
  readonly changes: boolean;
}

export type CallName = keyof typeof CALLS;
/** The calls that are made to a shard itself. */
export type ShardCallName = keyof typeof OPERATOR_CALLS;
/** The calls that are made to the monitor. */
export type MonitorCallName = keyof typeof FLEET_CALLS;
/** The calls that are made to source avatars. */
export type SourceCallName = "publisherStanding" | keyof typeof FEED_CALLS;
export type CallArgs<N extends CallName> = Static<(typeof CALLS)[N]["args"]>;
export type CallResult<N extends CallName> = Static<(typeof CALLS)[N]["result"]>;

/** On whose behalf: a session's secret, a verified address an agent vouches for, or nobody yet. */
export const Authority = Type.Union([
  Type.Object({ session: Type.String({ maxLength: 200 }) }),
  Type.Object({ jid: Type.String({ maxLength: 3_071 }) }),
  Type.Null(),
]);
export type Authority = Static<typeof Authority>;

const CallBody = Type.Object({
  name: Type.String({ maxLength: 40 }),
  op: Nullable(Type.String({ minLength: 8, maxLength: 100 })),
  authority: Authority,
  args: Type.Unknown(),
});
export type CallBody = Static<typeof CallBody>;

/** A call that was answered with an error, in the words of RFC 6120 §8.3: try again if and only if `type` is `wait`. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly type: "auth" | "cancel" | "modify" | "wait";
  /** Such as `item-not-found`, `conflict`, `not-authorized`, `forbidden`, `bad-request`, `resource-constraint`. */
  readonly condition: string;

  /** `message` is a sentence for the person who asked. */
  constructor(type: CallError["type"], condition: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
    this.condition = condition;
  }
}

/** The IQ of a call from `from` to the avatar at `to`. */
export function callStanza(from: string, to: string, id: string, body: CallBody): Element {
  return xml(
    "iq",
    { type: CALLS[body.name as CallName]?.changes ? "set" : "get", from, to, id },
    payload("call", {}, body),
  );
}

/** Reads `<call>`; its `args` are not checked yet. Throws MalformedError. */
export function readCall(element: Element): CallBody {
  return payloadOf(CallBody, element, "call");
}

/** The IQ that answers the request `to` `id` with `result`. */
export function answerStanza(from: string, to: string, id: string, result: unknown): Element {
  return xml("iq", { type: "result", from, to, id }, payload("answer", {}, result));
}

/** The IQ that refuses it. */
export function refusalStanza(from: string, to: string, id: string, error: CallError): Element {
  return xml("iq", { type: "error", from, to, id }, errorElement(error));
}

/** `<error type="…"><condition/><text/></error>` (RFC 6120 §8.3.2). */
export function errorElement(error: Pick<CallError, "type" | "condition" | "message">): Element {
  const ns = "urn:ietf:params:xml:ns:xmpp-stanzas";
  return xml(
    "error",
    { type: error.type },
    xml(error.condition, { xmlns: ns }),
    xml("text", { xmlns: ns }, error.message),
  );
}

/** The longest condition of RFC 6120 has 23; a longer one is somebody's invention, and would not fit into a report. */
const MAX_CONDITION_CHARS = 60;

/** Reads the `<error>` of a stanza of type error; a missing or strange one reads as `cancel`, `undefined-condition`. */
export function readError(stanza: Element): CallError {
  const ns = "urn:ietf:params:xml:ns:xmpp-stanzas";
  const error = stanza.getChild("error");
  const type = error?.attrs.type;
  const known = type === "auth" || type === "modify" || type === "wait" ? type : "cancel";
  const condition = error
    ?.getChildElements()
    .find((child) => child.attrs.xmlns === ns && child.name !== "text");
  const name = (condition?.name ?? "").length <= MAX_CONDITION_CHARS ? condition?.name : undefined;
  const text = error?.getChildText("text", ns) ?? `The call was refused: ${name ?? "no reason given"}.`;
  return new CallError(known, name ?? "undefined-condition", text);
}

/** The `<answer>` of a result IQ. Throws MalformedError when it does not fit the call. */
export function readAnswer<N extends CallName>(name: N, stanza: Element): CallResult<N> {
  const answer = stanza.getChild("answer", NS_BUS);
  if (answer === undefined)
    throw new CallError("cancel", "undefined-condition", `The answer to ${name} is empty.`);
  return payloadOf(CALLS[name].result, answer, `answer to ${name}`) as CallResult<N>;
}
