/**
 * What somebody looks for in their history. Every word has to occur somewhere in the title, the text, the author, the link, the
 * categories or the name of the source; words between quotes have to occur as they stand there. Case and accents do not
 * matter. Pure.
 */
import type { HistoryItem } from "@tidings/protocol";

type State = HistoryItem["state"];
/** What is looked through. */
type Searched = Pick<HistoryItem, "title" | "summary" | "author" | "link" | "sourceTitle"> & {
  readonly categories?: readonly string[];
};

/** Whether an item is looked for by `q`, which is null when everything is. */
export function searchFor(q: string | null): (item: Searched) => boolean {
  const terms = [...(q ?? "").matchAll(/"([^"]+)"|([^\s"]+)/g)].map(([, phrase, word]) =>
    folded(phrase ?? word ?? ""),
  );
  if (terms.length === 0) return () => true;
  return ({ title, summary, author, link, sourceTitle, categories = [] }) => {
    const text = folded([title, summary, author, link, sourceTitle, ...categories].join("\n"));
    return terms.every((term) => text.includes(term));
  };
}

/** States of which nobody can say that the user has not seen it. */
const SEEN: ReadonlySet<State> = new Set(["displayed", "acted", "read", "acked"]);

/** Whether an item in `state` is asked for by the filter `wanted`: `unread` is all that the user has not seen. */
export function isInState(state: State, wanted: string | null): boolean {
  if (wanted === null) return true;
  return wanted === "unread" ? !SEEN.has(state) : state === wanted;
}

/** Compatibility forms become plain, accents go, and letters are small (Unicode Standard Annex 15, form NFKD). */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ");
}
