/** The calls of a user avatar: each a function of the turn and its arguments. */
import { randomUUID } from "node:crypto";
import {
  CALLS,
  type CallArgs,
  CallError,
  type CallName,
  type CallResult,
  type DestinationView,
  FEED_CALLS,
  type HistoryItemWithTrace,
  type MonitorCallName,
  type ProfileView,
  type ShardCallName,
  type SourceCallName,
  USER_LIMITS,
} from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { IncomingCall } from "../shard/avatar.ts";
import type { Turn } from "../shard/turn.ts";
import { addToken, closeSession, endSession, openSession, removeToken, sessions, tokens } from "./access.ts";
import { active, beginSignUp, finishSignUp } from "./account.ts";
import {
  destinationIn,
  destinationView,
  tryCode,
  withAddress,
  withoutDestination,
  withTest,
} from "./destinations.ts";
import { historyItem, historyPage } from "./history.ts";
import { addFirstInbox, INBOXES, type InboxRow } from "./inboxes.ts";
import { answerMessage, messageSent } from "./message-calls.ts";
import { acknowledged, again, putOff, read } from "./own-acts.ts";
import { endSource, ownSources } from "./own-sources.ts";
import { changes, pageSays } from "./page-calls.ts";
import { presenceView } from "./presence.ts";
import { endFeed, feedItems, feedLink, rotateFeed } from "./private-feed.ts";
import { PUBLISHERS, type PublisherRow, sharePublisher, unsharePublisher } from "./publishers.ts";
import { rulesIn } from "./routing-row.ts";
import {
  type CoreRow,
  type DeliveriesRow,
  FEED,
  INBOX,
  OPERATION,
  PUBLISHER,
  SESSION,
  TOKEN,
} from "./rows.ts";
import { forgetInRules, putRules, simulate } from "./rule-calls.ts";
import {
  changeSubscription,
  listed,
  subscription,
  subscriptions,
  unsubscribe,
  viewOf,
} from "./subscriptions.ts";
import type { UserAvatar } from "./user-avatar.ts";
import type { WaitingCallName } from "./waiting-calls.ts";

/** What a handler works with. `core` is there for every call that only a user may make. */
export interface CallContext {
  readonly turn: Turn;
  readonly core: CoreRow | undefined;
  readonly call: IncomingCall;
  readonly avatar: UserAvatar;
}

/** The calls that are made to user avatars. */
export type UserCallName = Exclude<CallName, ShardCallName | SourceCallName | MonitorCallName>;

type Handler<N extends CallName> = (context: CallContext, args: CallArgs<N>) => CallResult<N>;

const EXPORT_ROWS = 500;
const OF_SOURCES: ReadonlySet<string> = new Set<SourceCallName>([
  "publisherStanding",
  ...(Object.keys(FEED_CALLS) as (keyof typeof FEED_CALLS)[]),
]);
/** Rows that hold what lets others in. */
const SECRET = [SESSION, TOKEN, OPERATION, PUBLISHER, INBOX];

/** Those in waiting-calls.ts are answered later. */
export const HANDLERS: { readonly [N in Exclude<UserCallName, WaitingCallName>]: Handler<N> } = {
  beginSignUp: ({ turn, core }) => {
    beginSignUp(turn, core);
    return { state: "creating" };
  },
  finishSignUp: ({ turn, core, avatar }) => {
    const after = finishSignUp(turn, core, avatar.ownAddress(turn));
    const profile = profileOf(turn, after, avatar);
    // What a turn adds is in no list that it reads.
    return after === core ? profile : { ...profile, inbox: addFirstInbox(turn) };
  },
  openSession: ({ turn, core }, { label }) => {
    if (core?.state !== "active") throw new CallError("auth", "not-authorized", "There is no such user.");
    return openSession(turn, label);
  },
  closeSession: ({ turn, call }) => {
    closeSession(turn, call.authority);
    return {};
  },
  sessions: ({ turn, call }) => ({ items: sessions(turn, call.authority) }),
  endSession: ({ turn }, { id }) => {
    endSession(turn, id);
    return {};
  },
  addToken: ({ turn }, args) => addToken(turn, args),
  tokens: ({ turn }) => ({ items: tokens(turn) }),
  removeToken: ({ turn }, { id }) => {
    removeToken(turn, id);
    return {};
  },
  profile: ({ turn, core, avatar }) => profileOf(turn, active(core), avatar),
  erase: ({ turn, avatar }) => {
    for (const kind of [PUBLISHERS, INBOXES])
      for (const { id } of ownSources(turn, kind)) endSource(turn, kind, id);
    for (const { source } of subscriptions(turn)) turn.tell([source], { type: "unsubscribed" });
    for (const { key } of turn.list(withPrefix(""))) turn.delete(key);
    turn.setAlarm(null);
    turn.watch = false;
    avatar.forget();
    return {};
  },
  exportAll: ({ turn }, { cursor }) => {
    const rows = turn.list({
      from: cursor === null ? "" : `${cursor}\u0001`,
      to: "\uffff",
      limit: EXPORT_ROWS,
    });
    const shown = rows.filter(({ key }) => key !== FEED && !SECRET.some((prefix) => key.startsWith(prefix)));
    const next = rows.length < EXPORT_ROWS ? null : (rows.at(-1)?.key ?? null);
    return { rows: shown.map(({ key, value }) => ({ key, value: parsedOrText(value) })), next };
  },
  pause: ({ turn, core, avatar }, { untilAt }) => {
    if (untilAt <= turn.nowAt) throw new CallError("modify", "bad-request", "A pause ends in the future.");
    return profileOf(turn, avatar.pauseUntil(turn, active(core), untilAt), avatar);
  },
  resume: ({ turn, core, avatar }) => profileOf(turn, avatar.pauseUntil(turn, active(core), null), avatar),

  subscriptions: ({ turn }) => ({ items: listed(turn) }),
  subscription: ({ turn }, { id }) => viewOf(turn, subscription(turn, id)),
  changeSubscription: ({ turn, core, avatar }, args) => {
    const view = changeSubscription(turn, active(core), args);
    avatar.decideAnew(turn, active(core));
    return view;
  },
  unsubscribe: ({ turn }, { id }) => {
    unsubscribe(turn, id);
    forgetInRules(turn, id);
    return {};
  },

  publishers: ({ turn }) => ({ items: ownSources<PublisherRow>(turn, PUBLISHERS) }),
  removePublisher: ({ turn }, { id }) => {
    endSource(turn, PUBLISHERS, id);
    return {};
  },

  sharePublisher: ({ turn }, { id }) => sharePublisher(turn, id),
  unsharePublisher: ({ turn }, { id }) => unsharePublisher(turn, id),

  inboxes: ({ turn }) => ({ items: ownSources<InboxRow>(turn, INBOXES) }),
  removeInbox: ({ turn }, { id }) => {
    endSource(turn, INBOXES, id);
    return {};
  },

  history: ({ turn }, args) => historyPage(turn, args),
  changes,
  pageSays,
  historyItem: ({ turn }, { id }) => historyItem(turn, id),

  markRead: (context, { id }) => acts(context, id, read),
  acknowledge: (context, { id }) => acts(context, id, (row, nowAt) => acknowledged(row, null, nowAt)),
  snooze: (context, { id, forMs }) =>
    acts(context, id, (row, nowAt) => putOff(row, nowAt + forMs, null, nowAt)),
  reply: ({ turn, core, call, avatar }, { id, option, text }) => {
    avatar.answer(turn, active(core), id, call.op ?? randomUUID(), { option, text });
    return historyItem(turn, id);
  },
  redeliver: (context, { id }) => acts(context, id, again),

  feedLink: ({ turn }) => feedLink(turn),
  rotateFeed: ({ turn }) => rotateFeed(turn),
  endFeed: ({ turn }) => {
    endFeed(turn);
    return {};
  },
  feed: ({ turn, core }, { secret, of }) => {
    active(core);
    return { items: feedItems(turn, secret, of) };
  },

  messageSent,
  answerMessage,

  rules: ({ turn }) => rulesIn(turn),
  putRules: ({ turn, core, avatar }, args) => {
    const answer = putRules(turn, active(core), args);
    if (answer.outcome === "stored") avatar.decideAnew(turn, active(core));
    return answer;
  },
  simulate: ({ turn, core, avatar }, args) => simulate(turn, avatar.situation(turn, active(core)), args),

  destinations: ({ core }) => ({ items: active(core).destinations.map(destinationView) }),
  addDestination: ({ turn, core, avatar }, place) => {
    const { core: next, row, created } = withAddress(active(core), place, turn.nowAt);
    return { created, destination: destinationView(avatar.keepDestination(turn, next, row)) };
  },
  testDestination: ({ turn, core, avatar }, { id }) => {
    const { core: next, row } = withTest(active(core), id, turn.nowAt);
    return destinationView(avatar.keepDestination(turn, next, row));
  },
  verifyDestination: ({ turn, core, avatar }, { id, code }) => {
    const { channel } = destinationIn(active(core), id);
    if (channel === "im") throw new CallError("modify", "not-acceptable", CODE_BY_IM);
    return verified(turn, avatar, tryCode(active(core), { id }, code, turn.nowAt), "not-acceptable");
  },
  removeDestination: ({ turn, core, avatar }, { id }) => {
    avatar.changeDestinations(turn, withoutDestination(active(core), id));
    return {};
  },
  addressStanding: ({ core }, { address }) => {
    if (core?.state !== "active") return { standing: "noUser" };
    const row = core.destinations.find((candidate) => candidate.address === address);
    if (row === undefined) return { standing: "stranger" };
    return { standing: row.state === "verified" ? "verified" : "unverified" };
  },
  verifyAddress: ({ turn, core, avatar }, { address, code }) =>
    verified(turn, avatar, tryCode(active(core), { address }, code, turn.nowAt), "not-authorized"),
};

/** The item as the user's act leaves it. */
function acts(
  { turn, core, avatar }: CallContext,
  id: string,
  change: (row: DeliveriesRow, nowAt: number) => DeliveriesRow,
): HistoryItemWithTrace {
  avatar.act(turn, active(core), id, (row) => change(row, turn.nowAt));
  return historyItem(turn, id);
}

const CODE_BY_IM = "This one is verified from the address itself: send the code to the agent from there.";

function verified(
  turn: Turn,
  avatar: UserAvatar,
  { core, verified: row }: ReturnType<typeof tryCode>,
  refusal: "not-authorized" | "not-acceptable",
): DestinationView {
  avatar.changeDestinations(turn, core);
  if (row !== null) return destinationView(row);
  throw new WrongCodeError(refusal);
}

/** A wrong code is an answer, and the try that it used up is kept: the turn is not undone. */
export class WrongCodeError extends CallError {
  constructor(condition: "not-authorized" | "not-acceptable") {
    super(
      condition === "not-authorized" ? "auth" : "modify",
      condition,
      "This code is wrong or out of date. Ask for a new one on the page, under destinations.",
    );
  }
}

export function isCallName(name: string): name is UserCallName {
  return Object.hasOwn(CALLS, name) && CALLS[name as CallName].may !== "operator" && !OF_SOURCES.has(name);
}

function profileOf(turn: Turn, core: CoreRow, avatar: UserAvatar): ProfileView {
  return {
    name: turn.avatar,
    jid: avatar.ownAddress(turn),
    agent: avatar.agentAddress(turn),
    createdAt: core.createdAt,
    pausedUntilAt: core.pausedUntilAt !== null && core.pausedUntilAt > turn.nowAt ? core.pausedUntilAt : null,
    presence: presenceView(avatar.presence(turn), avatar.agentEpoch),
    limits: { ...USER_LIMITS },
    zone: rulesIn(turn).rules.zone,
    inbox: ownSources<InboxRow>(turn, INBOXES)[0]?.local ?? null,
  };
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
