/**
 * How an avatar's rows are kept in the checkpoints: as pieces, one for what a run has changed of the avatar. Pure.
 *
 *     C#<silo>#<shard>#<avatar>   #<run>#<piece>#<chunk>   {run, blob, whole?, goesOn?}
 *
 * Reading applies them in order; what comes before a *whole* does not count, for that has all rows. A key is written once
 * and in one run, so a late write needs no condition: it lands as a piece of a void run, which nobody reads.
 */
import { decodeGroup, encodeGroup } from "./group-codec.ts";
import type { Entry } from "./rows.ts";
import type { Item } from "./table.ts";

/** What a run writes of one avatar: rows that have changed (null = deleted), or with `isWhole` the first of all its rows. */
export interface Piece {
  readonly avatar: string;
  readonly rows: readonly { readonly key: string; readonly value: string | null }[];
  readonly isWhole: boolean;
}

/** The rows of an avatar, and how many items a whole would do away with. */
export interface Stored {
  readonly entries: readonly Entry[];
  readonly pieces: number;
}

/** Most bytes of an item's blob; DynamoDB takes items of 400 KB. */
const CHUNK_BYTES = 350_000;

/** The items of a piece, the `number`-th of its run, with their sort keys. */
export function itemsOf({ rows, isWhole }: Piece, run: number, number: number): { sk: string; item: Item }[] {
  const blob = encodeGroup(rows.map((row) => ({ avatar: "", ...row })));
  const items: { sk: string; item: Item }[] = [];
  for (let from = 0; from < blob.length; from += CHUNK_BYTES) {
    const item: Item = { run: { N: String(run) }, blob: { B: blob.subarray(from, from + CHUNK_BYTES) } };
    if (isWhole && from === 0) item.whole = { BOOL: true };
    if (from + CHUNK_BYTES < blob.length) item.goesOn = { BOOL: true };
    items.push({ sk: `${runKey(run)}${digits(number, 8)}#${digits(items.length, 4)}`, item });
  }
  return items;
}

/** What the sort keys of a run's pieces begin with: those of lower runs come before it, rows of layout 2 after all. */
export function runKey(run: number): string {
  return `#${digits(run, 12)}#`;
}

/** The rows that `items` of one avatar, in the order of their sort keys, come to without those of `voidRuns`. */
export function rowsOf(items: readonly Item[], voidRuns: ReadonlySet<number>): Stored {
  const live = items.filter((item) => !voidRuns.has(runOf(item)));
  const rows = new Map<string, string>();
  for (const { sk, value } of live) if (value?.S !== undefined) rows.set(sk?.S ?? "", value.S);
  let counting = rows.size;
  let wholeRun = -1;
  let chunks: Uint8Array[] = [];
  for (const item of live) {
    if (item.blob?.B === undefined) continue;
    if (item.whole?.BOOL) {
      rows.clear();
      [counting, wholeRun] = [0, runOf(item)];
    }
    if (runOf(item) !== wholeRun) counting++;
    chunks.push(item.blob.B);
    if (item.goesOn?.BOOL) continue;
    for (const { key, value } of decodeGroup(Buffer.concat(chunks)))
      if (value === null) rows.delete(key);
      else rows.set(key, value);
    chunks = [];
  }
  const voided = items.length - live.length;
  return { entries: [...rows].map(([key, value]) => ({ key, value })), pieces: counting + voided };
}

function runOf({ run }: Item): number {
  return Number(run?.N ?? 0);
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, "0");
}
