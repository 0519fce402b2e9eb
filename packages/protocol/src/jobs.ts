/** What goes through the queues: poll jobs to the ingestors, their results to the shards, look-ups and their answers. */
import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import type { Shard } from "./addresses.ts";
import { Hub } from "./hubs.ts";
import { Item } from "./notification.ts";

export const QUEUES = {
  /** Poll jobs of a part of all web hosts; see {@link pollPart}. */
  poll: (part: number) => `tidings.poll.${part}`,
  lookup: "tidings.lookup",
  /** Answers and bounces by mail, for agent-email. */
  mail: "tidings.mail",
  /** Answers of users on their way to publishers. */
  callback: "tidings.callback",
  /** Answers of users on their way to who wrote a mail. */
  answerMail: "tidings.answer-mail",
  dead: "tidings.dead",
  /** Results for the sources of one shard; drained by the host that owns it. */
  shard: (silo: string, shard: Shard) => `tidings.shard.${silo}.${shard}`,
} as const;

/** Into how many parts web hosts are divided: so many ingestors can share the work. */
export const POLL_PARTS = 16;

/**
 * The part, from 0, of the host in `url`: all its jobs go through one queue, which one ingestor at a time takes from. An
 * address in place of a name is of a network of one's own, where nobody has to be polite: there each URL is by itself.
 */
export function pollPart(url: string): number {
  const host = URL.parse(url)?.hostname ?? "";
  const isNamed = !/^(\[.*\]|[\d.]+|localhost)$/.test(host);
  const digest = createHash("sha256")
    .update(isNamed ? host : url)
    .digest();
  return digest.readUInt16BE(0) % POLL_PARTS;
}

/** Most items in one result message; a longer document comes in several parts. */
export const ITEMS_PER_RESULT = 100;

const NullableString = (maxLength: number) => Type.Union([Type.String({ maxLength }), Type.Null()]);

/** What a server said of a document, to be sent back with the next request (RFC 9110 §13). */
export const Validators = Type.Object({ etag: NullableString(1_000), lastModified: NullableString(200) });
export type Validators = Static<typeof Validators>;

export const PollJob = Type.Object({
  /** Names the poll; a result with another poll's id is late and still welcome. */
  job: Type.String({ maxLength: 60 }),
  /** Localpart of the source avatar that wants to know. */
  source: Type.String({ maxLength: 80 }),
  silo: Type.String({ maxLength: 20 }),
  url: Type.String({ maxLength: 2_000 }),
  validators: Validators,
});
export type PollJob = Static<typeof PollJob>;

/** Why a fetch brought nothing. `sentence` is for people: what happened, and what to do. */
export const FetchFailure = Type.Object({
  reason: Type.Enum([
    "address", // no web address, or a forbidden scheme, port or network
    "unreachable", // no connection, name not found, TLS failure, time-out
    "refused", // 4xx
    "unavailable", // 5xx, 429
    "gone", // 410
    "tooLarge",
    "notAFeed",
    "malformed",
  ]),
  sentence: Type.String({ maxLength: 500 }),
  /** The server's Retry-After, in milliseconds from the fetch. */
  retryAfterMs: Type.Union([Type.Number(), Type.Null()]),
});
export type FetchFailure = Static<typeof FetchFailure>;

/** One part of what a poll found. Items are oldest first, parts too; validators count when the last part is stored. */
export const PollResult = Type.Object({
  job: Type.String({ maxLength: 60 }),
  source: Type.String({ maxLength: 80 }),
  fetchedAt: Type.Number(),
  /** `postponed`: the host is asked as often as is polite. */
  outcome: Type.Enum(["items", "unchanged", "failed", "postponed"]),
  /** When a postponed poll may be asked for again (milliseconds from now). */
  againInMs: Type.Optional(Type.Number({ minimum: 0 })),
  part: Type.Integer({ minimum: 1 }),
  parts: Type.Integer({ minimum: 1 }),
  title: NullableString(500),
  validators: Validators,
  /** For how long the server says that the document stays as it is (RFC 9111 §4.2), in milliseconds. */
  freshForMs: Type.Optional(Type.Number({ minimum: 0 })),
  /** The hub that it names; null: none. */
  hub: Type.Optional(Type.Union([Hub, Type.Null()])),
  /** A hub has sent it, unasked: it is no answer to a poll, and not the whole feed. */
  pushed: Type.Optional(Type.Literal(true)),
  /** Where to ask from now on: the server has moved it for good. */
  movedTo: Type.Optional(Type.String({ maxLength: 2_000 })),
  items: Type.Array(Item, { maxItems: ITEMS_PER_RESULT }),
  failure: Type.Union([FetchFailure, Type.Null()]),
});
export type PollResult = Static<typeof PollResult>;

/** "What is at this address?", asked by web-api and agents, answered through RabbitMQ's direct reply-to. */
export const Lookup = Type.Object({ url: Type.String({ maxLength: 10_000 }) });
export type Lookup = Static<typeof Lookup>;

export const LookupAnswer = Type.Union([
  Type.Object({
    found: Type.Literal(true),
    /** Canonical address of the feed itself, after discovery and permanent redirects. */
    url: Type.String(),
    title: NullableString(500),
    /** Newest first, at most 20. */
    items: Type.Array(Item, { maxItems: 20 }),
  }),
  Type.Object({ found: Type.Literal(false), failure: FetchFailure }),
]);
export type LookupAnswer = Static<typeof LookupAnswer>;
