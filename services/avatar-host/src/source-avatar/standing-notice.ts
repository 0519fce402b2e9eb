/** What a source says of itself to its subscribers, in their histories: that nothing can be read any more, and that it can again. */
import { ITEM_LIMITS, type Item, itemId, shorten } from "@tidings/protocol";

/** Failures in a row after which a feed counts as dead: with the shortest interval of five minutes, two and a half hours. */
export const DEAD_AFTER = 5;

export interface Standing {
  readonly source: string;
  readonly title: string | null;
  readonly url: string;
  /** The failure or the poll it is about: the same notice again has the same id. */
  readonly occasion: string;
}

export function deadNotice(standing: Standing, problem: string | null): Item {
  return notice(standing, "dead", `${nameOf(standing)} cannot be read: ${problem ?? "it fails."}`);
}

export function goneNotice(standing: Standing, problem: string | null): Item {
  return notice(standing, "gone", `${nameOf(standing)} has ended: ${problem ?? "it is gone."}`);
}

export function backNotice(standing: Standing): Item {
  return notice(standing, "back", `${nameOf(standing)} can be read again.`);
}

function notice({ source, url, occasion }: Standing, kind: string, title: string): Item {
  return {
    // A feed's own items have identities of other forms; see itemId.
    id: itemId(source, `tidings notice ${kind} ${occasion}`),
    title: shorten(title, ITEM_LIMITS.title),
    link: url,
    summary: null,
    author: "Tidings",
    publishedAt: null,
  };
}

function nameOf({ title, url }: Standing): string {
  return title ?? url;
}
