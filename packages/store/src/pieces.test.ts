import fc from "fast-check";
import { expect, test } from "vitest";
import { itemsOf, type Piece, rowsOf } from "./pieces.ts";
import type { Item } from "./table.ts";

interface Run {
  readonly isVoid: boolean;
  readonly isWhole: boolean;
  readonly changes: readonly (readonly [key: string, value: string | null])[];
}

const runs: fc.Arbitrary<Run[]> = fc.array(
  fc.record({
    isVoid: fc.boolean(),
    isWhole: fc.boolean(),
    changes: fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.oneof(fc.string(), fc.constant(null))), {
      maxLength: 5,
    }),
  }),
  { maxLength: 8 },
);

/** The items in the order of their sort keys, as a query gives them. */
function sorted(items: readonly { sk: string; item: Item }[]): Item[] {
  const placed = items.map(({ sk, item }): Item => ({ ...item, sk: { S: sk } }));
  return placed.sort((a, b) => ((a.sk?.S ?? "") < (b.sk?.S ?? "") ? -1 : 1));
}

function pieceOf(run: Pick<Run, "changes" | "isWhole">): Piece {
  return { avatar: "alice", isWhole: run.isWhole, rows: run.changes.map(([key, value]) => ({ key, value })) };
}

test("pieces come to the rows that their changes come to, one after the other and without void runs", () => {
  fc.assert(
    fc.property(runs, (all) => {
      const rows = new Map<string, string>();
      for (const { isVoid, isWhole, changes } of all) {
        if (isVoid) continue;
        if (isWhole) rows.clear();
        for (const [key, value] of changes)
          if (value === null) rows.delete(key);
          else rows.set(key, value);
      }
      const items = all.flatMap((run, at) => itemsOf(pieceOf(run), at + 1, at % 3));
      const voidRuns = new Set(all.flatMap(({ isVoid }, at) => (isVoid ? [at + 1] : [])));
      const { entries } = rowsOf(sorted(items), voidRuns);
      expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(rows);
    }),
  );
});

test("rows of layout 2 are older than all pieces, and a whole does away with them", () => {
  const old: Item[] = ["a", "b"].map((key) => ({ sk: { S: key }, run: { N: "9" }, value: { S: "old" } }));
  const change = itemsOf(
    pieceOf({
      changes: [
        ["a", "new"],
        ["c", "new"],
      ],
      isWhole: false,
    }),
    10,
    0,
  );
  const { entries, pieces } = rowsOf([...sorted(change), ...old], new Set());
  expect(entries.map(({ key, value }) => `${key} ${value}`).sort()).toEqual(["a new", "b old", "c new"]);
  expect(pieces).toBe(3);
  const whole = itemsOf(pieceOf({ changes: [["d", "new"]], isWhole: true }), 11, 0);
  const later = itemsOf(pieceOf({ changes: [["e", "new"]], isWhole: false }), 12, 0);
  const now = rowsOf([...sorted([...change, ...whole, ...later]), ...old], new Set());
  expect(now.entries.map(({ key }) => key)).toEqual(["d", "e"]);
  expect(now.pieces).toBe(1);
});

test("what a run of many pieces has written stays in its order", () => {
  const items = Array.from({ length: 120 }, (_, n) =>
    itemsOf(pieceOf({ changes: [["a", String(n)]], isWhole: false }), 7, n),
  ).flat();
  expect(rowsOf(sorted(items), new Set()).entries).toEqual([{ key: "a", value: "119" }]);
});

test("pieces of void runs are items that a whole would do away with, too", () => {
  const items = [1, 2, 3].flatMap((run) =>
    itemsOf(pieceOf({ changes: [["a", String(run)]], isWhole: run === 2 }), run, 0),
  );
  expect(rowsOf(sorted(items), new Set([1, 3]))).toEqual({ entries: [{ key: "a", value: "2" }], pieces: 2 });
});
