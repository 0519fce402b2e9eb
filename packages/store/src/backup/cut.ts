/**
 * The latest moment up to which a set of journals, read one after the other, agree with each other. Pure.
 *
 *     for each pair of shards:   forgotten by the sender ≤ applied by the receiver ≤ sealed by the sender
 *
 * A record that breaks this is left out, with all that follow it in its shard, until nothing breaks it. The rows that say so
 * are those of the outbox and the inbox of frames: `outseq/<to>`, `out/<to>/<seq>`, `in/<from>`.
 */
import type { Row } from "../rows.ts";

/** Frame numbers by the other shard. */
export interface Links {
  /** Frames to it that were numbered. */
  readonly sealed: ReadonlyMap<number, number>;
  /** Frames to it that were removed, because it has acknowledged them. */
  readonly forgotten: ReadonlyMap<number, number>;
  /** Frames from it that were applied. */
  readonly applied: ReadonlyMap<number, number>;
}

/** A journal: where it begins, and what each record changes. */
export interface Trail {
  readonly start: Links;
  readonly steps: readonly { readonly seq: number; readonly links: Links }[];
}

/** What the rows of one record, or of a whole shard, say of `shard`'s frames. */
export function linksOf(shard: number, rows: Iterable<Row>): Links {
  const sealed = new Map<number, number>();
  const forgotten = new Map<number, number>();
  const applied = new Map<number, number>();
  for (const { avatar, key, value } of rows) {
    if (avatar !== `_${shard}`) continue;
    const [kind, other, seq] = key.split("/");
    if (kind === "outseq" && value !== null) raise(sealed, Number(other), Number(value));
    if (kind === "in" && value !== null) raise(applied, Number(other), Number(value));
    if (kind === "out" && value === null) raise(forgotten, Number(other), Number(seq));
  }
  return { sealed, forgotten, applied };
}

/** How many records of each journal belong to the cut. What breaks the rule before the first record stays as it is. */
export function consistentCut(trails: ReadonlyMap<number, Trail>): Map<number, number> {
  const cut = new Map([...trails].map(([shard, { steps }]) => [shard, steps.length]));
  let hasChanged = true;
  while (hasChanged) {
    hasChanged = false;
    const now = new Map([...trails].map(([shard, trail]) => [shard, linksAt(trail, cut.get(shard) ?? 0)]));
    for (const [shard, trail] of trails) {
      const count = cut.get(shard) ?? 0;
      const fits = trail.steps.slice(0, count).findIndex(({ links }) => breaks(shard, links, now));
      if (fits < 0) continue;
      cut.set(shard, fits);
      hasChanged = true;
    }
  }
  return cut;
}

function breaks(shard: number, { forgotten, applied }: Links, now: ReadonlyMap<number, Links>): boolean {
  for (const [from, seq] of applied) if (seq > (now.get(from)?.sealed.get(shard) ?? 0)) return true;
  for (const [to, seq] of forgotten) if (seq > (now.get(to)?.applied.get(shard) ?? 0)) return true;
  return false;
}

function linksAt({ start, steps }: Trail, count: number): Links {
  const sealed = new Map(start.sealed);
  const forgotten = new Map(start.forgotten);
  const applied = new Map(start.applied);
  for (const { links } of steps.slice(0, count)) {
    for (const [to, seq] of links.sealed) raise(sealed, to, seq);
    for (const [to, seq] of links.forgotten) raise(forgotten, to, seq);
    for (const [from, seq] of links.applied) raise(applied, from, seq);
  }
  return { sealed, forgotten, applied };
}

function raise(map: Map<number, number>, key: number, to: number): void {
  map.set(key, Math.max(to, map.get(key) ?? 0));
}
