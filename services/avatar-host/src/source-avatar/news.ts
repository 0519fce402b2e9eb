/** What of a document is new. */
import type { Item } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { editsAmong } from "./edits.ts";
import { withoutRenamed } from "./renamed.ts";
import { SEEN, type SourceRow } from "./rows.ts";
import { isNew } from "./seen.ts";

/** Whether the first document is still to come, which is told to nobody. */
export function isBaseline({ state, polls }: SourceRow): boolean {
  return state === "checking" || polls === 0;
}

/** Notes `items` as seen. Gives those that are to be told, and the source's row as it is then. */
export function takeNews(
  turn: Turn,
  source: SourceRow,
  items: readonly Item[],
): { readonly told: readonly Item[]; readonly next: SourceRow } {
  const fresh = items.filter(({ id }) => {
    const isFresh = isNew(turn, id);
    if (isFresh) turn.putText(SEEN + id, String(source.polls));
    return isFresh;
  });
  const news = withoutRenamed(turn, items, fresh);
  const edits = (source.wantEdits ?? 0) > 0 ? editsAmong(turn, items, source.polls) : [];
  const newestAt = news.length > 0 || source.newestAt === undefined ? turn.nowAt : source.newestAt;
  return {
    told: isBaseline(source) ? [] : [...news, ...edits],
    next: { ...source, newestAt, seenCount: source.seenCount + fresh.length },
  };
}
