/** The rows of a user avatar, and their keys. Times are epoch milliseconds. */
import type {
  Channel,
  DeliveryState,
  Notification,
  Priority,
  ReasonCode,
  Rules,
  Show,
  SourceState,
  TraceStep,
} from "@tidings/protocol";
import { onlyKey, type Range, withPrefix } from "@tidings/store";
import { ALARM } from "../shard/turn.ts";

export const CORE = "core";
export const PRESENCE = "presence";
/** Says that the shard tells the avatar when an agent has come up. */
export const WATCHED = "watched";
/** `sub/<source>`: one subscription; its id is the localpart of the source. */
export const SUBSCRIPTION = "sub/";
/** `h/<number>`: a notification in the history, oldest first; the text is the notification's JSON and never changes. */
export const HISTORY = "h/";
/** `i/<notification id>` → its number in the history. What is here has been told. */
export const INDEX = "i/";
/** `p/<number>`: the deliveries of a notification that somebody still waits for; `d/<number>` once nobody does. */
export const PENDING = "p/";
export const SETTLED = "d/";
/** `session/<sha256 of the secret>`. */
export const SESSION = "session/";
/** `token/<sha256 of the secret>`: an API token. */
export const TOKEN = "token/";
/** `pub/<source>`: a publisher of the user's, by the localpart of its source. */
export const PUBLISHER = "pub/";
/** `inbox/<source>`: an address for mail, by the localpart of its source. */
export const INBOX = "inbox/";
/** The secret in the address of the private feed. */
export const FEED = "feed";
/** The rules and their version; without it the rules are the default ones. */
export const RULES = "rules";
/** `g/<digest id>`: what went together in one message. */
export const DIGEST = "g/";
/** `c/<id>`: a message in chat that is to be corrected, by the id of the correction. */
export const CORRECTION = "c/";
/** `burst/<source>`: when its last notifications came by themselves. */
export const BURST = "burst/";
/** `same/<key>`: what came with this dedup key. */
export const SAME = "same/";
/** SMS sent on one day. */
export const SMS_DAY = "sms";
/** Ids of the deeds of the user that have been carried out. */
export const DEEDS = "deeds";
/** `op/<operation id>`: the answer to a call that has changed something. */
export const OPERATION = "op/";

/** What a user avatar reads before it takes anything; keys between those that are named are of no other rows. */
export const WAKING_ROWS: readonly Range[] = [
  onlyKey(ALARM),
  { from: CORRECTION, to: `${CORE}\0` },
  { from: PENDING, to: `${RULES}\0` },
  onlyKey(SMS_DAY),
  onlyKey(WATCHED),
  withPrefix(HISTORY, { limit: 1, reverse: true }),
];

export interface CoreRow {
  readonly state: "creating" | "active";
  readonly createdAt: number;
  readonly pausedUntilAt: number | null;
  readonly destinations: readonly DestinationRow[];
  /** Addresses whose clients are known to send receipts (XEP-0184). */
  readonly receiptsFrom: readonly string[];
  /** When codes were sent to addresses in the last hour, epoch milliseconds. */
  readonly codesSentAt?: readonly number[];
}

export interface DestinationRow {
  readonly id: string;
  readonly channel: Channel;
  readonly address: string;
  readonly state: "unverified" | "verified" | "disabled";
  readonly code: string | null;
  readonly codeUntilAt: number | null;
  readonly triesLeft: number;
  /** What keeps messages from it, for the user to read. */
  readonly problem: string | null;
  /** What is posted to a webhook is signed with this. */
  readonly secret?: string;
  /** Tidings' own message to it that no agent has spoken of yet; `at` in epoch milliseconds. */
  readonly message?: OwnMessage;
}

/** The pages that the user has open, as a destination: everybody has it, and nobody need prove it. */
export const PAGE = {
  id: "web",
  channel: "web",
  address: "the page",
  state: "verified",
  code: null,
  codeUntilAt: null,
  triesLeft: 0,
  problem: null,
} as const satisfies DestinationRow;

export type OwnMessage =
  | { readonly kind: "code" | "test"; readonly at: number }
  /** That another address of the user's cannot be used any more. */
  | { readonly kind: "notice"; readonly at: number; readonly address: string; readonly problem: string };

export interface SubscriptionRow {
  readonly source: string;
  readonly url: string;
  /** What the user calls it; null = as the feed calls itself. */
  readonly ownTitle: string | null;
  readonly feedTitle: string | null;
  readonly state: SourceState;
  readonly problem: string | null;
  readonly priority: Priority;
  /** Of the inbox that everybody has from the start: until something comes, the subscription to it is not listed. */
  readonly isUnused?: true;
  /** Whether it tells edits. */
  readonly edits?: boolean;
  readonly createdAt: number;
}

export interface ResourceRow {
  readonly show: Show;
  readonly priority: number;
  readonly idleSinceAt: number | null;
  readonly order: number;
}

/** Presence as one life of the agent has told it: address → resource → what it shows. */
export interface PresenceRow {
  readonly agentEpoch: number;
  readonly addresses: ResourcesByAddress;
  /** What an earlier life told of addresses of which this one has said nothing yet. */
  readonly earlier?: ResourcesByAddress;
}

export type ResourcesByAddress = Readonly<Record<string, Readonly<Record<string, ResourceRow>>>>;

export interface Delivery {
  readonly destination: string;
  readonly channel: Channel;
  readonly state: DeliveryState;
  readonly at: number;
  readonly reason: string;
  /** Of the last decision; none after a report. */
  readonly because?: ReasonCode;
  /** When it was last dispatched anew; a ladder counts from then. */
  readonly sentAt?: number;
  /** Held until then by the user's rules. */
  readonly untilAt?: number;
  readonly attempt: number;
  /** The first attempt since the user has asked for it again, when it had been sent before. */
  readonly wantedFrom?: number;
  /** Since when it has been held; null when it never was. */
  readonly heldSinceAt: number | null;
  /** It went in the digest with this id. */
  readonly digest?: string;
  /** The message there no longer says the truth, and is corrected. */
  readonly corrected?: true;
  /** Since when nothing but the user's absence has held it; where it is missing, since `heldSinceAt`. */
  readonly freeSinceAt?: number;
  /** Not before then after a refusal for a passing reason. */
  readonly retryAt?: number;
  /** How often it was dispatched again because the agent said nothing. */
  readonly repeats?: number;
  /** How often the user's server said service-unavailable. */
  readonly unavailable?: number;
}

/** What was found when a notification came; it decides by that ever after. */
export interface TakenFacts {
  /** The title of one that was the same. */
  readonly duplicateOf?: string;
  /** It came in a burst whose window ends then. */
  readonly burstUntilAt?: number;
}

/** What the user has done with a notification last; a snooze counts until `untilAt`. Epoch milliseconds. */
export interface OwnAct {
  readonly state: "read" | "acked" | "snoozed";
  readonly at: number;
  readonly untilAt?: number;
}

export interface DeliveriesRow extends TakenFacts {
  readonly own?: OwnAct;
  /** What the user has answered its source, in words. */
  readonly answered?: string;
  /** From when its ladder counts, where the user has had it come again. */
  readonly againAt?: number;
  /** When the avatar took it; the first step of the trace where it is missing. */
  readonly takenAt?: number;
  readonly deliveries: readonly Delivery[];
  readonly trace: readonly TraceStep[];
}

export interface RulesRow {
  readonly version: number;
  readonly rules: Rules;
}

export interface DigestRow {
  readonly destination: string;
  readonly at: number;
  /** Numbers in the history, oldest first. */
  readonly numbers: readonly string[];
}

export interface CorrectionRow {
  /** In the history. */
  readonly number: string;
  readonly destination: string;
  /** The id of the message that is corrected. */
  readonly corrects: string;
  /** How the user has acknowledged it, such as "by SMS". */
  readonly by: string;
  readonly beganAt: number;
  readonly attempt: number;
  /** How often it was said since the agent spoke of it last, and when it is to be said again. */
  readonly said: number;
  readonly dueAt: number;
}

export interface SameRow {
  readonly at: number;
  readonly title: string;
}

export interface SmsDayRow {
  /** Local date. */
  readonly day: string;
  readonly sent: number;
}

/** Key part of the `number`-th notification of a history: in order as text. */
export function historyNumber(number: number): string {
  return number.toString(36).padStart(9, "0");
}

/** What the user calls the source of a subscription. */
export function titleOf({
  ownTitle,
  feedTitle,
  url,
}: Pick<SubscriptionRow, "ownTitle" | "feedTitle" | "url">): string {
  return ownTitle ?? feedTitle ?? new URL(url).hostname;
}

/** How much a notification matters: as its subscription says, else as its source does. */
export function priorityOf(
  subscription: Pick<SubscriptionRow, "priority"> | undefined,
  notification: Pick<Notification, "priority">,
): Priority {
  const own = subscription?.priority ?? "default";
  return own === "default" ? (notification.priority ?? "default") : own;
}

/** The part of a dispatch that says where it goes. */
export function placeOf({ address, secret }: DestinationRow): { address: string; secret?: string } {
  return secret === undefined ? { address } : { address, secret };
}
