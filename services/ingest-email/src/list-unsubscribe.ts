/** Where a mailing list is left, as its mails say (List-Unsubscribe, RFC 2369 §3.2). Shown to the user; nothing is ever sent there. */
import { ITEM_LIMITS } from "@tidings/protocol";

/** The first web address in the field `header`, else the first mail address, as a link; null when there is none. */
export function unsubscribeIn(header: unknown): string | null {
  const text = typeof header === "string" ? header.replace(/\s+/g, "") : "";
  const links = [...text.slice(0, 10_000).matchAll(/<([^<>]+)>/g)].map(([, link = ""]) => link);
  return firstOf(links, /^https?:\/\//i) ?? firstOf(links, /^mailto:/i);
}

function firstOf(links: readonly string[], scheme: RegExp): string | null {
  for (const link of links) {
    const href = scheme.test(link) ? URL.parse(link)?.href : undefined;
    if (href !== undefined && href.length <= ITEM_LIMITS.unsubscribe) return href;
  }
  return null;
}
