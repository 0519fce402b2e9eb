import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";

const MAX_TITLE_CHARS = 500;
const MAX_SUMMARY_CHARS = 2_000;
const MAX_LINK_CHARS = 2_000;
const MAX_AUTHOR_CHARS = 200;
const MAX_CATEGORY_CHARS = 100;
const MAX_CATEGORIES = 20;

/** Longest texts of an item in UTF-16 units, and most categories; ingestors cut to these, and everything behind them may rely on it. */
export const ITEM_LIMITS = {
  title: MAX_TITLE_CHARS,
  summary: MAX_SUMMARY_CHARS,
  link: MAX_LINK_CHARS,
  author: MAX_AUTHOR_CHARS,
  category: MAX_CATEGORY_CHARS,
  categories: MAX_CATEGORIES,
} as const;

const Text = (maxLength: number) => Type.String({ maxLength });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

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
  },
  { additionalProperties: false },
);
export type Item = Static<typeof Item>;

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
