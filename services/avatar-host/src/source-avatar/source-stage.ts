/** For tests: what an ingestor would bring a source. */
import { type Item, itemId, type PollResult } from "@tidings/protocol";
import type { Rehearsal } from "../rehearsal.ts";

/** The source of the tests. */
export const NAME = "rss.1";

export function itemNamed(identity: string, title = identity): Item {
  return {
    id: itemId(NAME, identity),
    title,
    link: null,
    summary: null,
    author: null,
    publishedAt: null,
  };
}

/** The whole document, with `items`, as the answer to the job that is out. */
export function resultWith(
  source: Rehearsal,
  items: readonly Item[],
  more: Partial<PollResult> = {},
): PollResult {
  return {
    job: source.jobs[0]?.job ?? "earlier",
    source: NAME,
    fetchedAt: source.nowAt,
    outcome: "items",
    part: 1,
    parts: 1,
    title: "Rooms",
    validators: { etag: '"1"', lastModified: null },
    items: [...items],
    failure: null,
    ...more,
  };
}
