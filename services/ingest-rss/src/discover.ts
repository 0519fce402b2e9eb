/** Finding the feed of a page: what its head names, what its HTTP header names, and where feeds usually are. */
import { scanTags } from "./scan-tags.ts";

/** Most addresses tried for one page. */
export const MAX_CANDIDATES = 8;
/** How much of a page is searched; the head is at its beginning (characters). */
const SEARCHED_CHARS = 512 * 1024;

const FEED_TYPES =
  /^(?:application\/(?:rss|atom|rdf|feed)\+(?:xml|json)|application\/json|text\/rss|(?:text|application)\/xml)\b/i;
const COMMENTS = /comment|kommentar/i;
const WELL_KNOWN = ["/feed", "/rss.xml", "/atom.xml", "/index.xml", "/feed.xml", "/rss", "/feed.json"];

interface NamedFeed {
  readonly url: string;
  readonly title: string;
}

/** The feeds that `html` names by `<link rel="alternate">`, absolute, in its order, feeds of comments last. */
export function feedsNamedBy(html: string, pageUrl: string): string[] {
  const named: NamedFeed[] = [];
  let base = pageUrl;
  scanTags(
    html.slice(0, SEARCHED_CHARS),
    {},
    {
      opened: (name, attributes) => {
        if (name === "base") base = URL.parse(attributes.href ?? "", pageUrl)?.href ?? base;
        const feed = name === "link" ? namedFeed(attributes, base) : null;
        if (feed !== null) named.push(feed);
      },
    },
  );
  return commentsLast(named);
}

/** The links in the Link header field `header` (RFC 8288 §3), as they stand there. */
export function linksInHeader(header: string): { href: string; rel: string; type: string }[] {
  const links = header.matchAll(/<([^<>]{1,2000})>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^\s,;"]+))?)*)/g);
  return [...links].map(([, href = "", parameters = ""]) => ({
    href,
    rel: parameter(parameters, "rel"),
    type: parameter(parameters, "type"),
  }));
}

/** The feeds in the Link header field `header`, absolute. */
export function feedsInHeader(header: string, pageUrl: string): string[] {
  const named = linksInHeader(header).map((link) => namedFeed({ ...link, title: "" }, pageUrl));
  return commentsLast(named.filter((feed) => feed !== null));
}

/** Where the feed of a site usually is, for a page that names none. */
export function usualFeeds(pageUrl: string): string[] {
  const page = new URL(pageUrl);
  const folder = page.pathname.replace(/\/[^/]*\.[^/]*$|\/$/, "");
  const below = folder === "" ? [] : [`${folder}/feed`, `${folder}/index.xml`];
  return [...below, ...WELL_KNOWN].map((path) => new URL(path, page.origin).href);
}

/** What to try for a page, best first, at most {@link MAX_CANDIDATES}. What the page names counts alone. */
export function feedCandidates(
  named: readonly string[],
  inHeader: readonly string[],
  pageUrl: string,
): string[] {
  const told = [...named, ...inHeader];
  const all = told.length > 0 ? told : usualFeeds(pageUrl);
  return [...new Set(all)].filter((url) => url !== pageUrl).slice(0, MAX_CANDIDATES);
}

function namedFeed(attributes: Readonly<Record<string, string>>, base: string): NamedFeed | null {
  const { href = "", rel = "", type = "", title = "" } = attributes;
  const relations = rel.toLowerCase().split(/\s+/);
  const isFeed =
    relations.includes("feed") || (relations.includes("alternate") && FEED_TYPES.test(type.trim()));
  const url =
    isFeed && href.trim() !== ""
      ? URL.parse(href.trim().replace(/^feed:(\/\/)?(?=https?:)/i, ""), base)
      : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return { url: url.href, title };
}

function commentsLast(named: readonly NamedFeed[]): string[] {
  const isOfComments = ({ url, title }: NamedFeed) =>
    Number(COMMENTS.test(`${title} ${new URL(url).pathname}`));
  return named.toSorted((a, b) => isOfComments(a) - isOfComments(b)).map(({ url }) => url);
}

function parameter(parameters: string, name: string): string {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,;"]+))`, "i").exec(parameters);
  return found?.[1] ?? found?.[2] ?? "";
}
