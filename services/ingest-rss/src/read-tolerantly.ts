/**
 * The last resort for XML that no parser accepts: cut off, badly nested, with stray characters. It takes what lies between
 * the tags that it knows and believes only items that were closed, so that a cut never makes half an item.
 */
import { type RawFeed, type RawItem, rawText, textOrNull } from "./raw-feed.ts";
import { scanTags, type TagHandler } from "./scan-tags.ts";

const ITEMS = new Set(["item", "entry"]);
const CONTAINERS = new Set(["channel", "feed", "rdf:rdf"]);
/** Inside these, `title`, `link` and `url` are not the feed's or the item's own. */
const OTHERS = new Set(["image", "textinput", "source", "media:group"]);
const FIELDS = new Set([
  ...["title", "link", "guid", "id", "description", "summary", "content", "content:encoded"],
  ...["pubdate", "published", "updated", "dc:date", "dc:creator", "author"],
]);

type Collected = Map<string, string>;

/** Reads whatever of a feed there is in `text`; null when nothing in it says that it is one. Linear in its length. */
export function readTolerantly(text: string): RawFeed | null {
  const collector = new Collector();
  scanTags(text, { xmlMode: true }, collector);
  const { isFeed, feed, items } = collector;
  if (!isFeed) return null;
  return {
    title: textOrNull(feed.get("title")),
    link: textOrNull(feed.get("link")),
    base: null,
    items: items.map(rawItem),
  };
}

class Collector implements TagHandler {
  readonly feed: Collected = new Map();
  readonly items: Collected[] = [];
  isFeed = false;
  #item: Collected | null = null;
  #field: string | null = null;
  #other: string | null = null;

  opened(tag: string, attributes: Readonly<Record<string, string>>): void {
    const name = plainName(tag);
    if (CONTAINERS.has(name)) this.isFeed = true;
    else if (ITEMS.has(name)) this.#startItem(attributes);
    else if (this.#field === null && this.#other === null) this.#startField(name, attributes);
  }

  heard(chunk: string): void {
    if (this.#field === null) return;
    this.#target().set(this.#field, (this.#target().get(this.#field) ?? "") + chunk);
  }

  closed(tag: string, isImplied: boolean): void {
    const name = plainName(tag);
    if (name === this.#field) this.#field = null;
    if (name === this.#other) this.#other = null;
    if (!ITEMS.has(name) || isImplied) return;
    if (this.#item !== null) this.items.push(this.#item);
    this.#item = null;
  }

  /** A new item within one that was never closed means that its end was forgotten, not that it nests. */
  #startItem(attributes: Readonly<Record<string, string>>): void {
    if (this.#item !== null) this.items.push(this.#item);
    this.#item = new Map(Object.entries({ about: attributes["rdf:about"] ?? "" }));
    this.#field = null;
    this.#other = null;
  }

  #startField(name: string, attributes: Readonly<Record<string, string>>): void {
    if (OTHERS.has(name)) this.#other = name;
    else if (name === "link" && attributes.href !== undefined)
      this.#atomLink(attributes.href, attributes.rel);
    else if (FIELDS.has(name) && !this.#target().has(name)) this.#field = name;
  }

  #atomLink(href: string, rel: string | undefined): void {
    const isPage = rel === undefined || rel === "alternate";
    if (isPage && !this.#target().has("link")) this.#target().set("link", href);
  }

  #target(): Collected {
    return this.#item ?? this.feed;
  }
}

function rawItem(item: Collected): RawItem {
  const first = (...names: string[]) =>
    names.map((name) => textOrNull(item.get(name))).find((text) => text !== null) ?? null;
  return {
    guid: first("guid", "id", "about"),
    title: rawText(item.get("title"), "unknown"),
    link: first("link"),
    summary: rawText(first("description", "summary", "content:encoded", "content"), "html"),
    author: first("dc:creator", "author"),
    date: first("pubdate", "published", "updated", "dc:date"),
    // A feed that only this can read is broken: what it is about comes first.
    categories: [],
    enclosures: [],
    image: null,
    base: null,
  };
}

/** The name in lower case; prefixes are kept where they tell things apart, others (`a:entry`) are dropped. */
function plainName(tag: string): string {
  const name = tag.toLowerCase();
  if (/^(?:dc|content|media|rdf|itunes):/.test(name)) return name;
  return name.replace(/^[^:]*:/, "");
}
