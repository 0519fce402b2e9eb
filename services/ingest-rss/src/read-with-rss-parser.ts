import Parser from "rss-parser";
import {
  type RawEnclosure,
  type RawFeed,
  type RawItem,
  rawEnclosure,
  rawText,
  textOrNull,
  textsOf,
} from "./raw-feed.ts";

/** Where rss-parser took markup inside an element for structure, and what it made of it is no text. */
export class NotTextError extends Error {
  override readonly name = "NotTextError";
}

type Fields = Readonly<Record<string, unknown>>;

/** What the parser gives only when asked; lists under names of our own, as it keeps the first alone. */
const OWN_FIELDS: (string | (string | { keepArray: boolean })[])[] = [
  // As `creator` the parser gives the last of both, which may be the empty one.
  ["author", "rssAuthor"],
  ["dc:creator", "dcCreator"],
  "itunes:author",
  "itunes:summary",
  ["enclosure", "enclosures", { keepArray: true }],
  ["media:thumbnail", "thumbnails", { keepArray: true }],
  ["media:content", "media", { keepArray: true }],
];

/**
 * Whether rss-parser reads documents like this one rightly: RSS 0.9x, 1.0 (RDF) and 2.0 without `xml:base`. Of Atom it takes wrong
 * links and loses XHTML, and versions that it does not know it refuses.
 */
export function suitsRssParser(text: string): boolean {
  const head = text.slice(0, 4_000);
  const isKnown = /<rss\b[^>]*\sversion\s*=\s*["'](?:2|0\.9)/i.test(head) || /<rdf:RDF\b/.test(head);
  return isKnown && !text.includes("xml:base");
}

/** Reads an RSS document. Rejects with whatever the parser throws, and with {@link NotTextError}. */
export async function readWithRssParser(text: string): Promise<RawFeed> {
  const parser = new Parser<Fields, Fields>({ customFields: { item: OWN_FIELDS } });
  const feed: Fields = await parser.parseString(text);
  const items = feed.items as readonly Fields[];
  return {
    title: textOrNull(feed.title),
    link: textOrNull(feed.link),
    base: null,
    items: items.map(rawItem),
  };
}

function rawItem(item: Fields): RawItem {
  for (const field of ["title", "link", "guid"]) {
    if (typeof item[field] === "object") throw new NotTextError(`${field} holds elements`);
  }
  const enclosure = item.enclosure as Fields | undefined;
  const summary = item.content ?? item["content:encoded"] ?? item["itunes:summary"];
  return {
    guid: textOrNull(item.guid) ?? textOrNull(item["rdf:about"]),
    title: rawText(item.title, "unknown"),
    link: textOrNull(item.link) ?? textOrNull(enclosure?.url),
    summary: rawText(summary, "html") ?? rawText(item["content:encoded"], "html"),
    author: textOrNull(item.dcCreator) ?? textOrNull(item.rssAuthor) ?? textOrNull(item["itunes:author"]),
    date: textOrNull(item.pubDate) ?? textOrNull(item.date),
    categories: categoriesOf(item.categories),
    enclosures: enclosuresOf(item),
    image: imageOf(item),
    base: null,
  };
}

/** The parser gives a category with attributes as an object, with its text under `_`. */
function categoriesOf(found: unknown): string[] {
  if (!Array.isArray(found)) return [];
  return textsOf(found.map((one: unknown) => (typeof one === "object" ? (one as Fields | null)?._ : one)));
}

/** The attributes of each element in a list of the parser's. */
function attributesOf(list: unknown): Fields[] {
  if (!Array.isArray(list)) return [];
  return list.map((one: unknown) => (one as { $?: Fields } | null)?.$ ?? {});
}

function enclosuresOf(item: Fields): RawEnclosure[] {
  return attributesOf(item.enclosures).flatMap(({ url, type, length }) => rawEnclosure(url, type, length));
}

function imageOf(item: Fields): string | null {
  const picture = attributesOf(item.media).find(
    ({ medium, type }) => medium === "image" || String(type ?? "").startsWith("image/"),
  );
  const itunes = item.itunes as Fields | undefined;
  return (
    textOrNull(attributesOf(item.thumbnails)[0]?.url) ?? textOrNull(picture?.url) ?? textOrNull(itunes?.image)
  );
}
