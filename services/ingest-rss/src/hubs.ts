/** The hub of a feed, as its document or the HTTP header names it (WebSub §4). */
import type { Hub } from "@tidings/protocol";
import { linksInHeader } from "./discover.ts";
import { scanTags } from "./scan-tags.ts";

const LONGEST_URL = 2_000;
/** A feed names its hub before its items; so much of it is searched (characters). */
const SEARCHED_CHARS = 64 * 1024;
const FIRST_ITEM = /<(?:[\w.-]+:)?(?:item|entry)[\s>]/i;

interface Named {
  readonly rel: string;
  readonly href: string;
}

/** The hub that `text`, a feed found at `url`, or the Link header `link` names; the header counts first. */
export function hubOf(text: string, link: string, url: string): Hub | null {
  const named = [...linksInHeader(link), ...linksOf(text)];
  const hub = address(named, "hub", url);
  if (hub === null) return null;
  return { url: hub, topic: address(named, "self", url) ?? url };
}

function address(named: readonly Named[], relation: string, base: string): string | null {
  for (const { rel, href } of named) {
    if (!rel.toLowerCase().split(/\s+/).includes(relation)) continue;
    const found = URL.parse(href.trim(), base);
    if (found !== null && /^https?:$/.test(found.protocol) && found.href.length <= LONGEST_URL)
      return found.href;
  }
  return null;
}

function linksOf(text: string): Named[] {
  return /^\s*\{/.test(text) ? linksOfJson(text) : linksOfXml(text);
}

function linksOfXml(text: string): Named[] {
  const head = text.slice(0, SEARCHED_CHARS);
  const end = head.search(FIRST_ITEM);
  const links: Named[] = [];
  scanTags(
    end < 0 ? head : head.slice(0, end),
    { xmlMode: true },
    {
      opened: (tag, { rel, href }) => {
        if (/^(?:[\w.-]+:)?link$/i.test(tag) && rel !== undefined && href !== undefined)
          links.push({ rel, href });
      },
    },
  );
  return links;
}

/** JSON Feed 1.1, "hubs" and "feed_url". It has been parsed before: that it is JSON is known. */
function linksOfJson(text: string): Named[] {
  if (!text.includes('"hubs"')) return [];
  const { hubs, feed_url: self } = JSON.parse(text.trim()) as { hubs?: unknown; feed_url?: unknown };
  const named = (Array.isArray(hubs) ? hubs : []).flatMap((hub: { type?: unknown; url?: unknown } | null) =>
    typeof hub?.url === "string" && /^websub$/i.test(String(hub.type)) ? [{ rel: "hub", href: hub.url }] : [],
  );
  return typeof self === "string" ? [...named, { rel: "self", href: self }] : named;
}
