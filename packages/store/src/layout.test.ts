import { expect, test } from "vitest";
import { MemoryTable } from "../../testkit/src/memory-table.ts";
import { decodeGroup } from "./group-codec.ts";
import { checkLayout, LayoutError, noteRestore, TABLE_LAYOUT } from "./layout.ts";

test("a table of a later version is refused with a sentence, and not changed", async () => {
  const table = new MemoryTable();
  await checkLayout(table);
  await checkLayout(table);
  await table.put("L#", "layout", { version: { N: String(TABLE_LAYOUT + 1) } });

  await expect(checkLayout(table)).rejects.toThrow(/later version of Tidings .* update Tidings/);

  expect((await table.get("L#", "layout"))?.version?.N).toBe(String(TABLE_LAYOUT + 1));
});

test("a table into which a restore was broken off is refused", async () => {
  const table = new MemoryTable();
  await noteRestore(table, "b1");
  await expect(checkLayout(table)).rejects.toBeInstanceOf(LayoutError);
  await noteRestore(table, null);
  await checkLayout(table);
});

test("a journal record in a coding of a later version is refused with a sentence", () => {
  expect(() => decodeGroup(Uint8Array.of(7, 1, 2))).toThrow(/coding 7, .* update Tidings/);
});
