/** The parts of the stream stay what they are while it grows at both ends, so that only what is new is drawn. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { partsOf } from "../services/web-api/app/src/parts/parts-of.ts";
import type { Item } from "../services/web-api/app/src/types.ts";

const itemsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: String(first + at) }) as Item);

test("each item is in one part, in order, whatever has come before and after the anchor", () => {
  const lengths = fc.nat({ max: 230 });
  fc.assert(
    fc.property(lengths, lengths, (before, after) => {
      const items = itemsFrom(-before, before + after);
      const parts = partsOf(items, after === 0 ? null : "0");
      expect(parts.flatMap((part) => part.items)).toEqual(items);
      for (const part of parts) expect(items[part.from]).toBe(part.items[0]);
    }),
  );
});

test("a part that is full holds the same when new ones come and when older ones are read", () => {
  const now = partsOf(itemsFrom(-60, 160), "0").filter(({ items }) => items.length === 50);
  const later = partsOf(itemsFrom(-75, 275), "0").map(({ items }) => items.map(({ id }) => id).join());
  expect(now).toHaveLength(3);
  for (const { items } of now) expect(later).toContain(items.map(({ id }) => id).join());
});
