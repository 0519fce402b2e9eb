import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeGroup, encodeGroup } from "./group-codec.ts";

const text = fc.string({ unit: "binary" }).map((value) => value.toWellFormed());
const anyRow = fc.record({
  avatar: fc.constantFrom("alice", "bob", "rss.1", "_17"),
  key: text,
  value: fc.option(
    fc.oneof(
      text,
      text.map((value) => value.repeat(200)),
    ),
  ),
});

test("rows come out of a blob as they went in, in order", () => {
  fc.assert(
    fc.property(fc.array(anyRow), (rows) => {
      expect(decodeGroup(encodeGroup(rows))).toEqual(rows);
    }),
  );
});

test("a value that many rows share is in the blob once", () => {
  const value = Array.from({ length: 2_000 }, (_, n) => String.fromCharCode(33 + ((n * 7_919) % 90))).join(
    "",
  );
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ avatar: `u${n}`, key: "h", value }));
  expect(encodeGroup(rows(150)).length).toBeLessThan(encodeGroup(rows(1)).length + 150 * 20);
});

test("what is no blob is refused", () => {
  expect(() => decodeGroup(Uint8Array.of(1, 2, 3))).toThrow();
  expect(() => decodeGroup(Uint8Array.of(0))).toThrow();
});
