/** Lists of feeds as programs exchange them: OPML 2.0 (http://opml.org/spec2.opml). Pure. */
import { cleanLine } from "@tidings/protocol";
import { generateOpml, parseOpml } from "feedsmith";
import { Problem } from "./problem.ts";

/** Most feeds of one document. */
export const MOST_FEEDS = 5_000;
/** No tag of an honest document is longer; a parser takes long for one that is (characters). */
const MAX_TAG_CHARS = 20_000;
const TITLE_CHARS = 200;

export interface ListedFeed {
  /** As it stands in the document. */
  readonly url: string;
  /** What it is called there; null when it has no name. */
  readonly title: string | null;
}

/** The feeds of an OPML document, in its order, folders opened, each address once. Throws Problem 422. */
export function readOpml(text: string): ListedFeed[] {
  if (hasLongTag(text)) throw noOpml();
  const feeds = new Map<string, ListedFeed>();
  for (const outline of outlinesIn(text)) {
    const url = (outline.xmlUrl ?? "").trim();
    const title = cleanLine(outline.title ?? outline.text ?? "", TITLE_CHARS) || null;
    if (url !== "" && !feeds.has(url)) feeds.set(url, { url, title });
  }
  if (feeds.size === 0)
    throw new Problem(422, "There is no feed in this document: no outline with an xmlUrl.");
  if (feeds.size > MOST_FEEDS)
    throw new Problem(
      422,
      `There are ${feeds.size} feeds in this document; import at most ${MOST_FEEDS} at a time.`,
    );
  return [...feeds.values()];
}

/** The OPML document that lists `feeds`. */
export function opmlOf(
  title: string,
  feeds: readonly { readonly url: string; readonly title: string }[],
): string {
  const outlines = feeds.map((feed) => ({
    text: feed.title,
    title: feed.title,
    type: "rss",
    xmlUrl: feed.url,
  }));
  return generateOpml({ head: { title }, body: { outlines } });
}

interface Outline {
  readonly text?: string;
  readonly title?: string;
  readonly xmlUrl?: string;
  readonly outlines?: readonly Outline[];
}

function outlinesIn(text: string): Outline[] {
  let waiting: readonly Outline[];
  try {
    waiting = (parseOpml(text).body?.outlines ?? []) as readonly Outline[];
  } catch (cause) {
    throw noOpml(cause);
  }
  const all: Outline[] = [];
  const stack = [...waiting].reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    all.push(next);
    stack.push(...[...(next.outlines ?? [])].reverse());
  }
  return all;
}

function hasLongTag(text: string): boolean {
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    const end = text.indexOf(">", at);
    if ((end < 0 ? text.length : end) - at > MAX_TAG_CHARS) return true;
    if (end < 0) return false;
    at = end;
  }
  return false;
}

function noOpml(cause?: unknown): Problem {
  return new Problem(
    422,
    "This is no OPML document; export one from your feed reader, and send it as it is.",
    {
      cause,
    },
  );
}
