import fc from "fast-check";
import { expect, test } from "vitest";
import { Overlay } from "./overlay.ts";
import type { Entry, Range, Row } from "./rows.ts";

const key = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 3 });
const rows = fc.array(fc.record({ key, value: fc.option(fc.constantFrom("1", "2", "3")) }));
const range: fc.Arbitrary<Range> = fc
  .record({ from: key, to: key, limit: fc.option(fc.integer({ min: 0, max: 6 })), reverse: fc.boolean() })
  .map(({ limit, ...rest }) => (limit === null ? rest : { ...rest, limit }));

/** What a list is, said plainly. */
function plainList(entries: ReadonlyMap<string, string>, { from, to, limit, reverse }: Range): Entry[] {
  const all = [...entries].map(([name, value]) => ({ key: name, value }));
  const inRange = all
    .filter((entry) => entry.key >= from && entry.key < to)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (reverse) inRange.reverse();
  return inRange.slice(0, limit);
}

function apply(
  model: Map<string, string>,
  { key: name, value }: { key: string; value: string | null },
): void {
  if (value === null) model.delete(name);
  else model.set(name, value);
}

test("a list is what it would be if the file held the overlay's rows, in every range, direction and limit", () => {
  fc.assert(
    fc.property(rows, rows, range, (older, newer, wanted) => {
      const file = new Map<string, string>();
      for (const row of older) apply(file, row);
      const overlay = new Overlay();
      const whole = new Map(file);
      for (const row of newer) {
        overlay.set({ avatar: "alice", ...row });
        apply(whole, row);
      }
      const listed = overlay.list("alice", wanted, (part) => plainList(file, part));
      expect(listed.map(({ key: name, value }) => ({ key: name, value }))).toEqual(plainList(whole, wanted));
    }),
  );
});

test("what has reached the file is forgotten, unless something newer has taken its place", () => {
  const overlay = new Overlay();
  const first: Row = { avatar: "alice", key: "a", value: "1" };
  const second: Row = { avatar: "alice", key: "a", value: "2" };
  overlay.set(first);
  overlay.set(second);
  overlay.drop([first]);
  expect(overlay.get("alice", "a")).toBe(second);
  overlay.drop([second]);
  expect(overlay.get("alice", "a")).toBeUndefined();
});
