/**
 * From the text of a document to the feed in it.
 *
 *     JSON ────────────────────▶ feedsmith
 *     RSS that suits it ──▶ rss-parser ──fails──▶ feedsmith ──fails──▶ tolerant reader
 *     other RSS, Atom ─────────────────────────────┘
 */
import type { RawFeed } from "./raw-feed.ts";
import { readTolerantly } from "./read-tolerantly.ts";
import { readWithFeedsmith } from "./read-with-feedsmith.ts";
import { readWithRssParser, suitsRssParser } from "./read-with-rss-parser.ts";

export type Parsed =
  | { readonly kind: "feed"; readonly feed: RawFeed }
  /** An HTML page, which may name a feed. */
  | { readonly kind: "page" }
  | { readonly kind: "other" }
  /** Meant as a feed, and past saving. */
  | { readonly kind: "broken" };

/** Where the root element is looked for (characters). */
const HEAD_CHARS = 20_000;
const FEED_ROOT = /<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s>/])/i;
/** A page whose author left out the root begins with one of the others. */
const PAGE_ROOT =
  /<!doctype\s+html|^[^<]*<(?:html|head|body|title|meta|link|base|script|style|div|main|article|h1|p)(?=[\s>/])/i;
const NOT_CONTENT = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g;

/**
 * Parses `text`. With `isCareful`, XML is left to the tolerant reader, the only one whose time is linear on hostile input: an
 * expression of rss-parser takes seconds for 60 KB of `&lt;p`. Never rejects.
 */
export async function parseDocument(text: string, isCareful: boolean): Promise<Parsed> {
  const start = text.slice(0, HEAD_CHARS).trimStart();
  if (start.startsWith("{") || start.startsWith("[")) return parseJson(text);
  const head = start.replace(NOT_CONTENT, "");
  const feedAt = head.search(FEED_ROOT);
  const pageAt = head.search(PAGE_ROOT);
  if (feedAt >= 0 && (pageAt < 0 || feedAt < pageAt)) return parseXml(fromRoot(text), isCareful);
  return { kind: pageAt >= 0 ? "page" : "other" };
}

function parseJson(text: string): Parsed {
  try {
    return { kind: "feed", feed: readWithFeedsmith(text.trim()) };
  } catch {
    // The parser says only that it failed; whether it was meant as a feed is told by the version that every JSON Feed names.
    return { kind: /jsonfeed\.org\/version/.test(text.slice(0, HEAD_CHARS)) ? "broken" : "other" };
  }
}

async function parseXml(text: string, isCareful: boolean): Promise<Parsed> {
  const strict = isCareful ? null : ((await tryRssParser(text)) ?? tryFeedsmith(text));
  const feed = strict ?? readTolerantly(text);
  return feed === null ? { kind: "broken" } : { kind: "feed", feed };
}

async function tryRssParser(text: string): Promise<RawFeed | null> {
  if (!suitsRssParser(text)) return null;
  try {
    return await readWithRssParser(text);
  } catch {
    // It refuses much that can still be read; the next reader decides.
    return null;
  }
}

function tryFeedsmith(text: string): RawFeed | null {
  try {
    return readWithFeedsmith(text);
  } catch {
    // As above: the tolerant reader has the last word.
    return null;
  }
}

/** Without what a misconfigured server printed before the document. */
function fromRoot(text: string): string {
  const declaredAt = text.slice(0, HEAD_CHARS).indexOf("<?xml");
  const rootAt = text.search(FEED_ROOT);
  return text.slice(declaredAt >= 0 && declaredAt < rootAt ? declaredAt : rootAt);
}
