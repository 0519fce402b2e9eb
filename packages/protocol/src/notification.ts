import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { Priority } from "./priority.ts";

const MAX_TITLE_CHARS = 500;
const MAX_SUMMARY_CHARS = 2_000;
const MAX_LINK_CHARS = 2_000;
const MAX_AUTHOR_CHARS = 200;
const MAX_CATEGORY_CHARS = 100;
const MAX_CATEGORIES = 20;
const MAX_ENCLOSURES = 3;
const MAX_ENCLOSURE_URL_CHARS = 1_000;
const MAX_TYPE_CHARS = 100;
const MAX_UNSUBSCRIBE_CHARS = 1_000;

/** Longest texts of an item in UTF-16 units, and most categories; ingestors cut to these, and everything behind them may rely on it. */
export const ITEM_LIMITS = {
  title: MAX_TITLE_CHARS,
  summary: MAX_SUMMARY_CHARS,
  link: MAX_LINK_CHARS,
  author: MAX_AUTHOR_CHARS,
  category: MAX_CATEGORY_CHARS,
  categories: MAX_CATEGORIES,
  enclosures: MAX_ENCLOSURES,
  enclosureUrl: MAX_ENCLOSURE_URL_CHARS,
  mediaType: MAX_TYPE_CHARS,
  unsubscribe: MAX_UNSUBSCRIBE_CHARS,
} as const;

const Text = (maxLength: number) => Type.String({ maxLength });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Most things that a notification offers as an answer, and longest texts of one, in UTF-16 units. */
export const OPTION_LIMITS = { options: 5, id: 32, label: 40 } as const;

/** Something that the user can answer to a notification. */
export const ReplyOption = Type.Object(
  {
    id: Type.String({ pattern: `^[A-Za-z0-9_-]{1,${OPTION_LIMITS.id}}$` }),
    label: Type.String({ minLength: 1, maxLength: OPTION_LIMITS.label }),
    /** Whether words of the user's own go with it. */
    input: Type.Optional(Type.Literal(true)),
  },
  { additionalProperties: false },
);
export type ReplyOption = Static<typeof ReplyOption>;

/** What a check of a mail's sender found (RFC 8601 §2.7). */
export const SenderCheck = Type.Enum([
  "pass",
  "fail",
  "softfail",
  "neutral",
  "none",
  "policy",
  "temperror",
  "permerror",
]);
export type SenderCheck = Static<typeof SenderCheck>;

/** Who a mail says that it is from, and how far that was checked. Never a reason to lose it: a forwarded mail fails some. */
export const MailSender = Type.Object(
  {
    address: Text(320),
    /** The domain of the address vouches for it: a signature (DKIM) or the sending host (SPF), aligned as of RFC 7489 §3.1. */
    isProven: Type.Boolean(),
    checks: Type.Object(
      { spf: SenderCheck, dkim: SenderCheck, dmarc: SenderCheck, arc: SenderCheck },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type MailSender = Static<typeof MailSender>;

/** A file that belongs to an item, such as an episode: where it is, what it is, and how large its source says that it is (bytes). */
export const Enclosure = Type.Object(
  {
    url: Text(MAX_ENCLOSURE_URL_CHARS),
    type: Nullable(Text(MAX_TYPE_CHARS)),
    bytes: Nullable(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type Enclosure = Static<typeof Enclosure>;

/** One new thing as an ingestor read it: cleaned text, never markup. Times are epoch milliseconds. */
export const Item = Type.Object(
  {
    /** 32 hexadecimal digits, see {@link itemId}. */
    id: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    title: Text(MAX_TITLE_CHARS),
    link: Nullable(Text(MAX_LINK_CHARS)),
    summary: Nullable(Text(MAX_SUMMARY_CHARS)),
    author: Nullable(Text(MAX_AUTHOR_CHARS)),
    publishedAt: Nullable(Type.Number()),
    /** Left out when there are none. */
    categories: Type.Optional(Type.Array(Text(MAX_CATEGORY_CHARS), { maxItems: MAX_CATEGORIES })),
    /** Left out when there are none, and a picture of it, when there is none. */
    enclosures: Type.Optional(Type.Array(Enclosure, { minItems: 1, maxItems: MAX_ENCLOSURES })),
    image: Type.Optional(Text(MAX_ENCLOSURE_URL_CHARS)),
    /** The id of the item of which this is a later state. */
    editOf: Type.Optional(Type.String({ pattern: "^[0-9a-f]{32}$" })),
    /** What its source says of how much it matters; a priority that the user has given the subscription goes before. */
    priority: Type.Optional(Priority),
    /** What the user can answer, and until when (epoch milliseconds). */
    options: Type.Optional(Type.Array(ReplyOption, { minItems: 1, maxItems: OPTION_LIMITS.options })),
    answerUntilAt: Type.Optional(Type.Number()),
    /** Of a mail. */
    sender: Type.Optional(MailSender),
    /** Of a mail to a list: where that is left, https or mailto. */
    unsubscribe: Type.Optional(Text(MAX_UNSUBSCRIBE_CHARS)),
  },
  { additionalProperties: false },
);
export type Item = Static<typeof Item>;

/** Longest words of a user's own in an answer, in UTF-16 units. */
export const ANSWER_CHARS = 1_000;

/** What a user answers to a notification: one of its options, words of their own where the option takes some. */
export const Answer = Type.Object(
  {
    /** Names the answer, however often it travels. */
    id: Type.String({ minLength: 1, maxLength: 100 }),
    notification: Type.String({ maxLength: 64 }),
    option: Type.String({ maxLength: OPTION_LIMITS.id }),
    text: Nullable(Type.String({ maxLength: ANSWER_CHARS })),
    /** When the user gave it, epoch milliseconds. */
    at: Type.Number(),
  },
  { additionalProperties: false },
);
export type Answer = Static<typeof Answer>;

/** The source of what Tidings itself says, such as a code: no source avatar has this name. */
export const SYSTEM_SOURCE = "tidings";

/** An item as its source avatar numbered it. Its id never changes. */
export const Notification = Type.Object(
  {
    ...Item.properties,
    /** Localpart of the source avatar, such as `rss.5f2b…`. */
    source: Type.String({ maxLength: 80 }),
    /** Position in the order of its source, from 1, without gaps. */
    seq: Type.Integer({ minimum: 1 }),
    /** When the source avatar took it, epoch milliseconds. */
    receivedAt: Type.Number(),
  },
  { additionalProperties: false },
);
export type Notification = Static<typeof Notification>;

/**
 * The id of an item: the first 128 bits of SHA-256 over its source and its identity in that source (guid, else link, else
 * title and date), as 32 hexadecimal digits. The same item read twice, by any ingestor, has the same id.
 */
export function itemId(source: string, identity: string): string {
  return createHash("sha256").update(source).update("\n").update(identity).digest("hex").slice(0, 32);
}

/** The localpart of the source avatar that owns the feed with the canonical address `url`. */
export function feedSource(url: string): string {
  return `rss.${createHash("sha256").update(url).digest("hex").slice(0, 32)}`;
}
