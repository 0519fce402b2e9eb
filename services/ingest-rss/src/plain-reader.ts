/**
 * For tests: a reader of well-formed feeds that follows the specifications to the letter and shares nothing with the real
 * ones but the idea, so that both can be compared on documents that nobody has written expectations for.
 */
import { createHash } from "node:crypto";
import { DomUtils, parseDocument } from "htmlparser2";

type Node = Parameters<typeof DomUtils.textContent>[0] & { attribs?: Record<string, string> };

export interface PlainItem {
  /** What makes its identity (guid, `rdf:about` or id, else link). */
  readonly identity: string | null;
  /** Without markup, blanks collapsed; null when there is none. */
  readonly title: string | null;
  /** As it stands there. */
  readonly link: string | null;
  readonly author: string | null;
  /** Epoch milliseconds. */
  readonly publishedAt: number | null;
}

/** The items of `xml`, RSS or Atom, in its order. */
export function readPlainly(xml: string): PlainItem[] {
  const document = parseDocument(xml, { xmlMode: true });
  const named = (name: string) => DomUtils.getElementsByTagName(name, document, true) as unknown as Node[];
  const entries = named("entry");
  return entries.length > 0 ? entries.map(entryOf) : named("item").map(itemOf);
}

function itemOf(item: Node): PlainItem {
  const guid = textOf(item, "guid");
  const identity = guid ?? item.attribs?.["rdf:about"] ?? null;
  const isPermalink = guid !== null && /^https?:/.test(guid);
  const link = textOf(item, "link") ?? (isPermalink ? guid : null) ?? attributeOf(item, "enclosure", "url");
  return {
    identity: identity ?? link,
    title: lineOf(withoutMarkup(textOf(item, "title"))),
    link,
    author: lineOf(textOf(item, "dc:creator") ?? textOf(item, "author") ?? textOf(item, "itunes:author")),
    publishedAt: timeOf(textOf(item, "pubDate") ?? textOf(item, "dc:date")),
  };
}

function entryOf(entry: Node): PlainItem {
  const links = childrenOf(entry, "link").map(({ attribs = {} }) => attribs);
  const link = links.find(({ rel = "alternate" }) => rel === "alternate")?.href ?? null;
  const [title] = childrenOf(entry, "title");
  const text = textOf(entry, "title");
  const isText = (title?.attribs?.type ?? "text") === "text";
  const [author] = childrenOf(entry, "author");
  return {
    identity: textOf(entry, "id") ?? link,
    title: lineOf(isText ? text : withoutMarkup(text)),
    link,
    author: author === undefined ? null : lineOf(textOf(author, "name")),
    publishedAt: timeOf(textOf(entry, "published") ?? textOf(entry, "updated")),
  };
}

/** The id of an item of `source` with `identity`: architecture's rule, written once more. */
export function idOf(source: string, identity: string): string {
  return createHash("sha256").update(`${source}\n${identity}`).digest("hex").slice(0, 32);
}

function childrenOf(node: Node, name: string): Node[] {
  const children = (node as { children?: readonly unknown[] }).children ?? [];
  return (children as (Node & { name?: string })[]).filter((child) => child.name === name);
}

function textOf(node: Node, name: string): string | null {
  for (const child of childrenOf(node, name)) {
    const text = DomUtils.textContent(child).trim();
    if (text !== "") return text;
  }
  return null;
}

function attributeOf(node: Node, name: string, attribute: string): string | null {
  return childrenOf(node, name)[0]?.attribs?.[attribute] ?? null;
}

function withoutMarkup(text: string | null): string | null {
  return text === null ? null : DomUtils.textContent(parseDocument(text));
}

function lineOf(text: string | null): string | null {
  const line = text?.replace(/\s+/g, " ").trim() ?? "";
  return line === "" ? null : line;
}

/** `Date` reads RFC 3339 and, apart from names of zones elsewhere, RFC 822. */
function timeOf(text: string | null): number | null {
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
