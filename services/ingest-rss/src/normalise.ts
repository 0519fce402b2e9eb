/**
 * From what a parser found to items that may travel: one identity each, plain text of bounded length, absolute web links,
 * times in epoch milliseconds, the oldest first.
 */

import { textOfHtml, textOfTitle, tidyText } from "@tidings/ingest";
import { cleanLine, type Enclosure, ITEM_LIMITS, type Item, itemId } from "@tidings/protocol";
import { parseDate } from "./date.ts";
import type { RawEnclosure, RawFeed, RawItem, RawText } from "./raw-feed.ts";

/** Most items taken from one document; the newest count. */
export const MAX_ITEMS = 1_000;
const MAX_FEED_TITLE_CHARS = 500;
/** How much of a summary stands in for a missing title (characters). */
const STAND_IN_CHARS = 100;
const UNTITLED = "(no title)";

export interface NormalisedFeed {
  readonly title: string | null;
  /** Oldest first, at most {@link MAX_ITEMS}, each id once. */
  readonly items: readonly Item[];
}

/** Normalises `feed`, found at `url`, for the source with the localpart `source`. */
export function normaliseFeed(feed: RawFeed, source: string, url: string): NormalisedFeed {
  const base = feedBase(feed, url);
  const items = new Map<string, Item>();
  for (const { item, at } of oldestFirst(feed.items).slice(-MAX_ITEMS)) {
    const normal = normaliseItem(item, at, source, base);
    if (normal !== null) items.set(normal.id, normal);
  }
  const title = feed.title === null ? "" : cleanLine(textOfTitle(feed.title), MAX_FEED_TITLE_CHARS);
  return { title: title === "" ? null : title, items: [...items.values()] };
}

interface Dated {
  readonly item: RawItem;
  /** Epoch milliseconds. */
  readonly at: number | null;
}

/**
 * By date where every item has one, else as the document has it, turned round unless its dates rise. What has the same date
 * keeps the order of the document, in which the newest stands first.
 */
function oldestFirst(items: readonly RawItem[]): Dated[] {
  const dated = items.map((item) => ({ item, at: parseDate(item.date) }));
  const times = dated.map(({ at }) => at).filter((at) => at !== null);
  const isRising = (times[0] ?? 0) < (times.at(-1) ?? 0);
  if (!isRising) dated.reverse();
  if (times.length < items.length) return dated;
  return dated.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

function normaliseItem(raw: RawItem, publishedAt: number | null, source: string, base: string): Item | null {
  const ownBase = raw.base === null ? base : (absolute(raw.base, base) ?? base);
  const link = webLink(raw.link ?? linkInGuid(raw.guid), ownBase);
  const title = lineOf(raw.title, ITEM_LIMITS.title);
  const summary = bodyOf(raw.summary, ITEM_LIMITS.summary);
  const identity = raw.guid ?? link ?? (title === null ? summary : `${title}\n${raw.date ?? ""}`);
  if (identity === null) return null;
  const shownTitle = title ?? standIn(summary, link);
  return {
    id: itemId(source, identity),
    title: shownTitle,
    link,
    summary: summary === shownTitle ? null : summary,
    author: authorOf(raw.author),
    publishedAt,
    ...categoriesOf(raw.categories),
    ...filesOf(raw, ownBase),
  };
}

/** Each once, in the feed's order; nothing at all when there are none. */
function categoriesOf(raw: readonly string[]): Pick<Item, "categories"> {
  const lines = raw
    .slice(0, ITEM_LIMITS.categories)
    .map((text) => cleanLine(textOfTitle(text.slice(0, 1_000)), ITEM_LIMITS.category));
  const categories = [...new Set(lines)].filter((line) => line !== "");
  return categories.length === 0 ? {} : { categories };
}

/** What can be fetched from the web, each once; a picture among the files stands in for one that is not named. */
function filesOf({ enclosures: raw, image }: RawItem, base: string): Pick<Item, "enclosures" | "image"> {
  const known = new Map(raw.flatMap((one) => enclosureOf(one, base)).map((one) => [one.url, one]));
  const enclosures = [...known.values()].slice(0, ITEM_LIMITS.enclosures);
  const picture =
    webLink(image, base, ITEM_LIMITS.enclosureUrl) ??
    enclosures.find(({ type }) => type?.startsWith("image/") === true)?.url;
  return {
    ...(enclosures.length === 0 ? {} : { enclosures }),
    ...(picture === undefined ? {} : { image: picture }),
  };
}

function enclosureOf({ url, type, length }: RawEnclosure, base: string): Enclosure[] {
  const link = webLink(url, base, ITEM_LIMITS.enclosureUrl);
  const mediaType = cleanLine(type ?? "", ITEM_LIMITS.mediaType).toLowerCase();
  return link === null ? [] : [{ url: link, type: mediaType === "" ? null : mediaType, bytes: length }];
}

function lineOf(raw: RawText | null, maxChars: number): string | null {
  if (raw === null) return null;
  const line = cleanLine(raw.form === "plain" ? raw.text : textOfTitle(raw.text), maxChars);
  return line === "" ? null : line;
}

function bodyOf(raw: RawText | null, maxChars: number): string | null {
  if (raw === null) return null;
  const text = raw.form === "plain" ? tidyText(raw.text, maxChars) : textOfHtml(raw.text, maxChars);
  return text === "" ? null : text;
}

function standIn(summary: string | null, link: string | null): string {
  if (summary !== null) return cleanLine(summary, STAND_IN_CHARS);
  return link === null ? UNTITLED : cleanLine(link.replace(/^https?:\/\/(www\.)?/, ""), STAND_IN_CHARS);
}

/** RSS 2.0 wants `mail (name)` as author; the name alone is shown. */
function authorOf(raw: string | null): string | null {
  const name = /^\S+@\S+\s+\((.+)\)$/.exec(raw?.slice(0, 1_000) ?? "")?.[1] ?? raw ?? "";
  const line = cleanLine(textOfTitle(name), ITEM_LIMITS.author);
  return line === "" ? null : line;
}

function linkInGuid(guid: string | null): string | null {
  return guid !== null && /^https?:\/\//i.test(guid) ? guid : null;
}

/** What relative links start from: `xml:base`, else the feed's own page, else where the feed was found. */
function feedBase(feed: RawFeed, url: string): string {
  if (feed.base !== null) return absolute(feed.base, url) ?? url;
  return feed.link === null ? url : (webLink(feed.link, url) ?? url);
}

function absolute(reference: string, base: string): string | null {
  return URL.parse(reference.trim(), base)?.href ?? null;
}

/** An absolute http or https address, or null: whoever clicks it must not run or open anything else. */
function webLink(reference: string | null, base: string, maxChars: number = ITEM_LIMITS.link): string | null {
  if (reference === null || reference.length > maxChars * 2) return null;
  const link = absolute(reference, base);
  return link !== null && /^https?:/.test(link) && link.length <= maxChars ? link : null;
}
