/** What programs publish: its way from web-api through the queue to the source avatar of the publisher. */
import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { ITEMS_PER_RESULT } from "./jobs.ts";
import { Item } from "./notification.ts";

/** Most things that one request publishes, and how far ahead (milliseconds). */
export const PUBLISH_LIMITS = {
  items: ITEMS_PER_RESULT,
  aheadMs: 30 * 24 * 3_600_000,
  publishers: 50,
} as const;

/** Localparts of the source avatars of publishers begin with this. */
export const PUSH_PREFIX = "push.";

/** The localpart of the source avatar for what is published with `token`; it does not tell the token. */
export function pushSource(token: string): string {
  return PUSH_PREFIX + createHash("sha256").update(token).digest("hex").slice(0, 32);
}

/**
 * A token with which others than its owner can subscribe to the publisher whose source has the localpart `source`; `secret` is
 * 32 characters of Base64 for URLs. Nobody can publish with it.
 */
export function shareToken(source: string, secret: string): string {
  return `tds_${source.slice(PUSH_PREFIX.length)}${secret}`;
}

/** The localpart of the source that `token` is for; null when it is no such token. */
export function sharedSource(token: string): string | null {
  const hash = /^tds_([0-9a-f]{32})[\w-]{32}$/.exec(token)?.[1];
  return hash === undefined ? null : PUSH_PREFIX + hash;
}

/** One thing to tell, and when. */
export const PublishedItem = Type.Object(
  {
    item: Item,
    /** Not before then (epoch milliseconds); null: at once. */
    dueAt: Type.Union([Type.Number(), Type.Null()]),
    /** Where answers go, an http(s) or mailto URL; no subscriber sees it. Null when it offers nothing to answer. */
    callback: Type.Union([Type.String({ maxLength: 2_000 }), Type.Null()]),
  },
  { additionalProperties: false },
);
export type PublishedItem = Static<typeof PublishedItem>;

/** What one request published, in its order. */
export const Publication = Type.Object(
  {
    /** Names the request in logs. */
    publication: Type.String({ maxLength: 60 }),
    source: Type.String({ maxLength: 80 }),
    items: Type.Array(PublishedItem, { minItems: 1, maxItems: PUBLISH_LIMITS.items }),
  },
  { additionalProperties: false },
);
export type Publication = Static<typeof Publication>;

/** One attempt to tell a publisher an answer, by whoever takes it from the queue. */
export const CallbackJob = Type.Object({
  /** Names the attempt. */
  job: Type.String({ maxLength: 60 }),
  source: Type.String({ maxLength: 80 }),
  silo: Type.String({ maxLength: 20 }),
  answer: Type.String({ maxLength: 100 }),
  url: Type.String({ maxLength: 2_000 }),
  /** Headers of the request, among them the signature over `body` (https://www.standardwebhooks.com). */
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String({ maxLength: 20_000 }),
});
export type CallbackJob = Static<typeof CallbackJob>;

/** What became of the attempt. */
export const CallbackResult = Type.Object(
  {
    callback: Type.String({ maxLength: 60 }),
    source: Type.String({ maxLength: 80 }),
    answer: Type.String({ maxLength: 100 }),
    outcome: Type.Enum(["delivered", "again", "refused"]),
    /** What happened, for people; empty when it was delivered. */
    sentence: Type.String({ maxLength: 500 }),
    /** The server's Retry-After, in milliseconds. */
    retryAfterMs: Type.Union([Type.Number(), Type.Null()]),
  },
  { additionalProperties: false },
);
export type CallbackResult = Static<typeof CallbackResult>;

/** Whether a source takes what is published: `ended` when its owner has ended it. */
export const PublisherStanding = Type.Enum(["open", "ended", "unknown"]);
export type PublisherStanding = Static<typeof PublisherStanding>;

export const PublisherView = Type.Object({
  /** The localpart of its source, which is also the id of the owner's subscription. */
  id: Type.String(),
  title: Type.String(),
  /** The secret with which anybody can publish. */
  token: Type.String(),
  /** What answers are signed with, as of Standard Webhooks (`whsec_…`). */
  secret: Type.String(),
  /** The token with which others can subscribe; absent when it is not shared. */
  share: Type.Optional(Type.String()),
  createdAt: Type.Number(),
});
export type PublisherView = Static<typeof PublisherView>;
