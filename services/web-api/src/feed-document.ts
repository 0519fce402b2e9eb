/** A private feed as RSS 2.0, Atom (RFC 4287) or JSON Feed 1.1. Pure. */
import type { HistoryItem } from "@tidings/protocol";
import { generateAtomFeed, generateJsonFeed, generateRssFeed } from "feedsmith";

export type FeedFormat = "rss" | "atom" | "json";

export const FEED_TYPES: Readonly<Record<FeedFormat, string>> = {
  rss: "application/rss+xml; charset=utf-8",
  atom: "application/atom+xml; charset=utf-8",
  json: "application/feed+json; charset=utf-8",
};

export interface FeedContent {
  readonly title: string;
  /** The address of the feed itself, and of the page that it belongs to. */
  readonly self: string;
  readonly home: string;
  /** Domain of the installation: ids are unique in it. */
  readonly domain: string;
  /** Newest first. */
  readonly items: readonly HistoryItem[];
}

/** Minutes after which it makes sense to ask again. */
const TTL_MINUTES = 5;
/** Of a feed in which nothing has ever been (epoch milliseconds). */
const NEVER = 0;

/** The document in `format`. The same content is the same text. */
export function feedDocument(format: FeedFormat, content: FeedContent): string {
  switch (format) {
    case "rss":
      return asRss(content);
    case "atom":
      return asAtom(content);
    case "json":
      return JSON.stringify(asJson(content));
  }
}

function asRss({ title, self, home, items }: FeedContent): string {
  return generateRssFeed({
    title,
    link: home,
    description: title,
    lastBuildDate: newestAt(items),
    ttl: TTL_MINUTES,
    atom: { links: [{ href: self, rel: "self", type: "application/rss+xml" }] },
    items: items.map((item) => ({
      title: item.title,
      ...(item.link === null ? {} : { link: item.link }),
      ...(item.summary === null ? {} : { description: escaped(item.summary) }),
      ...(item.author === null ? {} : { dc: { creators: [item.author] } }),
      enclosures: filesOf(item),
      guid: { value: item.id, isPermaLink: false },
      pubDate: shownAt(item),
      categories: [{ name: item.sourceTitle }],
    })),
  });
}

/** Ids are tag URIs (RFC 4151), which never change, whatever the address of the feed. */
function asAtom({ title, self, home, domain, items }: FeedContent): string {
  const idOf = (what: string) => `tag:${domain},2026:${what}`;
  return generateAtomFeed({
    id: idOf("feed"),
    title: { value: title },
    updated: newestAt(items),
    authors: [{ name: "Tidings" }],
    links: [
      { href: self, rel: "self" },
      { href: home, rel: "alternate" },
    ],
    entries: items.map((item) => ({
      id: idOf(`notification/${item.id}`),
      title: { value: item.title },
      updated: new Date(item.receivedAt),
      published: shownAt(item),
      links: [
        ...(item.link === null ? [] : [{ href: item.link, rel: "alternate" }]),
        ...filesOf(item).map(({ url, ...file }) => ({ href: url, rel: "enclosure", ...file })),
      ],
      ...(item.summary === null ? {} : { summary: { value: item.summary } }),
      ...(item.author === null ? {} : { authors: [{ name: item.author }] }),
      categories: [{ term: item.source, label: item.sourceTitle }],
    })),
  });
}

function asJson({ title, self, home, items }: FeedContent): unknown {
  return generateJsonFeed({
    title,
    home_page_url: home,
    feed_url: self,
    items: items.map((item) => ({
      id: item.id,
      title: item.title,
      content_text: item.summary ?? item.title,
      ...(item.link === null ? {} : { url: item.link }),
      ...(item.author === null ? {} : { authors: [{ name: item.author }] }),
      ...(item.image === undefined ? {} : { image: item.image }),
      attachments: filesOf(item).map(({ url, type, length }) => ({
        url,
        mime_type: type,
        ...(length === 0 ? {} : { size_in_bytes: length }),
      })),
      date_published: shownAt(item),
      tags: [item.sourceTitle],
    })),
  });
}

/** A source may claim any time; a reader sorts by it, and what comes now must not come last. */
function shownAt({ publishedAt, receivedAt }: HistoryItem): Date {
  return new Date(Math.min(publishedAt ?? receivedAt, receivedAt));
}

/** RSS wants a type and a length of each; 0 is what it takes for one that nobody knows. */
function filesOf({ enclosures = [] }: HistoryItem) {
  return enclosures.map(({ url, type, bytes }) => ({
    url,
    type: type ?? "application/octet-stream",
    length: bytes ?? 0,
  }));
}

function newestAt(items: readonly HistoryItem[]): Date {
  return new Date(items.reduce((newest, { receivedAt }) => Math.max(newest, receivedAt), NEVER));
}

/** Readers of RSS take a description for HTML. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
