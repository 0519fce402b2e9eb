import { parseFeed } from "feedsmith";
import {
  type RawFeed,
  type RawItem,
  type RawText,
  rawEnclosure,
  rawText,
  textOrNull,
  textsOf,
} from "./raw-feed.ts";

type Parsed = ReturnType<typeof parsed>;
type AtomFeed = Extract<Parsed, { format: "atom" }>["feed"];
type AtomEntry = NonNullable<AtomFeed["entries"]>[number];
type JsonFeed = Extract<Parsed, { format: "json" }>["feed"];
type JsonItem = NonNullable<JsonFeed["items"]>[number];
type RssFeed = Extract<Parsed, { format: "rss" }>["feed"];
type RssItem = NonNullable<RssFeed["items"]>[number];
type RdfFeed = Extract<Parsed, { format: "rdf" }>["feed"];
type RdfItem = NonNullable<RdfFeed["items"]>[number];

/** Reads RSS of any version, Atom with any prefix, and JSON Feed. Throws what the parser throws. */
export function readWithFeedsmith(text: string): RawFeed {
  const { format, feed } = parsed(text);
  switch (format) {
    case "atom":
      return atomFeed(feed);
    case "json":
      return jsonFeed(feed);
    case "rss":
      return rssFeed(feed);
    case "rdf":
      return rdfFeed(feed);
  }
}

/** Named for its type: `parseFeed` is generic, and only a call fixes what it returns. */
function parsed(text: string) {
  return parseFeed(text);
}

function atomFeed(feed: AtomFeed): RawFeed {
  return {
    title: atomText(feed.title)?.text ?? null,
    link: atomLink(feed.links),
    base: textOrNull(feed.xml?.base),
    items: (feed.entries ?? []).map(atomItem),
  };
}

function atomItem(entry: AtomEntry): RawItem {
  return {
    guid: textOrNull(entry.id),
    title: atomText(entry.title),
    link: atomLink(entry.links) ?? textOrNull(entry.content?.src),
    summary:
      atomText(entry.summary) ??
      atomText(entry.content) ??
      rawText(entry.media?.groups?.[0]?.description?.value, "plain"),
    author: textOrNull(entry.authors?.[0]?.name),
    categories: textsOf(entry.categories?.map(({ label, term }) => label ?? term)),
    enclosures: (entry.links ?? [])
      .filter(({ rel }) => rel === "enclosure")
      .flatMap(({ href, type, length }) => rawEnclosure(href, type, length)),
    image: mediaImage(entry.media),
    date: textOrNull(entry.published) ?? textOrNull(entry.updated) ?? textOrNull(entry.dc?.dates?.[0]),
    base: textOrNull(entry.xml?.base),
  };
}

/** RFC 4287 §3.1: without a type it is plain text. */
function atomText(text: { readonly value?: string; readonly type?: string } | undefined): RawText | null {
  const isPlain = text?.type === undefined || text.type === "text" || text.type === "text/plain";
  return rawText(text?.value, isPlain ? "plain" : "html");
}

interface AtomLink {
  readonly href?: string;
  readonly rel?: string;
  readonly type?: string;
}

/** The page that an entry stands for: RFC 4287 §4.2.7.2, a link without `rel` is an alternate; HTML before other types. */
function atomLink(links: readonly AtomLink[] | undefined): string | null {
  const all = links ?? [];
  const alternates = all.filter(({ rel }) => rel === undefined || rel === "alternate");
  const best = alternates.find(({ type }) => type === undefined || type.includes("html")) ?? alternates[0];
  return textOrNull((best ?? all.find(({ rel }) => rel === "related" || rel === "enclosure"))?.href);
}

function jsonFeed(feed: JsonFeed): RawFeed {
  return {
    title: textOrNull(feed.title),
    link: textOrNull(feed.home_page_url),
    base: null,
    items: (feed.items ?? []).map(jsonItem),
  };
}

function jsonItem(item: JsonItem): RawItem {
  return {
    guid: textOrNull(item.id),
    title: rawText(item.title, "plain"),
    link: textOrNull(item.url) ?? textOrNull(item.external_url),
    summary:
      rawText(item.summary, "plain") ??
      rawText(item.content_text, "plain") ??
      rawText(item.content_html, "html"),
    author: textOrNull(item.authors?.[0]?.name),
    categories: textsOf(item.tags),
    enclosures: (item.attachments ?? []).flatMap(({ url, mime_type, size_in_bytes }) =>
      rawEnclosure(url, mime_type, size_in_bytes),
    ),
    image: textOrNull(item.image) ?? textOrNull(item.banner_image),
    date: textOrNull(item.date_published) ?? textOrNull(item.date_modified),
    base: null,
  };
}

type Media = RssItem["media"];

/** The thumbnail, or the first picture among the contents (Media RSS). */
function mediaImage(media: Media): string | null {
  const all = [media, ...(media?.groups ?? [])];
  const thumbnail = all.flatMap((group) => group?.thumbnails ?? [])[0]?.url;
  const picture = all
    .flatMap((group) => group?.contents ?? [])
    .find(({ medium, type }) => medium === "image" || type?.startsWith("image/") === true)?.url;
  return textOrNull(thumbnail) ?? textOrNull(picture);
}

function rssFeed(feed: RssFeed): RawFeed {
  return {
    title: textOrNull(feed.title) ?? textOrNull(feed.dc?.titles?.[0]),
    link: textOrNull(feed.link),
    base: textOrNull(feed.xml?.base),
    items: (feed.items ?? []).map(rssItem),
  };
}

function rssItem(item: RssItem): RawItem {
  const isAddress = item.guid?.isPermaLink !== false && /^https?:/i.test(item.guid?.value ?? "");
  const permalink = isAddress ? item.guid?.value : undefined;
  return {
    guid: textOrNull(item.guid?.value),
    title: rawText(item.title, "unknown") ?? rawText(item.dc?.titles?.[0], "unknown"),
    link: textOrNull(item.link) ?? textOrNull(permalink) ?? textOrNull(item.enclosures?.[0]?.url),
    summary: rawText(item.description, "html") ?? rawText(item.content?.encoded, "html"),
    author:
      textOrNull(item.dc?.creators?.[0]) ??
      textOrNull(item.authors?.[0]?.name) ??
      textOrNull(item.itunes?.author),
    categories: textsOf([...(item.categories ?? []).map(({ name }) => name), ...(item.dc?.subjects ?? [])]),
    enclosures: (item.enclosures ?? []).flatMap(({ url, type, length }) => rawEnclosure(url, type, length)),
    image: mediaImage(item.media) ?? textOrNull(item.itunes?.image),
    date: textOrNull(item.pubDate) ?? textOrNull(item.dc?.dates?.[0]),
    base: textOrNull(item.xml?.base),
  };
}

function rdfFeed(feed: RdfFeed): RawFeed {
  return {
    title: textOrNull(feed.title),
    link: textOrNull(feed.link),
    base: textOrNull(feed.xml?.base),
    items: (feed.items ?? []).map(rdfItem),
  };
}

function rdfItem(item: RdfItem): RawItem {
  return {
    guid: textOrNull(item.rdf?.about),
    title: rawText(item.title, "unknown") ?? rawText(item.dc?.titles?.[0], "unknown"),
    link: textOrNull(item.link),
    summary: rawText(item.description, "html") ?? rawText(item.content?.encoded, "html"),
    author: textOrNull(item.dc?.creators?.[0]),
    categories: textsOf(item.dc?.subjects),
    enclosures: [],
    image: mediaImage(item.media),
    date: textOrNull(item.dc?.dates?.[0]),
    base: textOrNull(item.xml?.base),
  };
}
