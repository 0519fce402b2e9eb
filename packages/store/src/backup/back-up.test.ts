import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryTable } from "../../../testkit/src/memory-table.ts";
import { Checkpoint } from "../checkpoint.ts";
import { backUp } from "./back-up.ts";
import { restore } from "./restore.ts";

const log = silentLog();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "back-up-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("an avatar's pieces may come from the table in any order, and between those of another", async () => {
  const table = new MemoryTable();
  const checkpoint = new Checkpoint(table, "s1", 0);
  await checkpoint.claim(1);
  const changes = { first: { a: "1", b: "1" }, second: { a: null, c: "2" } };
  for (const change of Object.values(changes)) {
    const run = (await checkpoint.begin(0, 0)) ?? 0;
    const rows = Object.entries(change).map(([key, value]) => ({ key, value }));
    await checkpoint.write(
      ["alice", "bob"].map((avatar) => ({ avatar, rows, isWhole: false })),
      run,
    );
    await checkpoint.finish(run, { seq: run, epoch: 1 });
  }
  const scan = table.scan.bind(table);
  table.scan = async function* (prefix) {
    const items = await Array.fromAsync(scan(prefix));
    yield* items.sort((one, other) => Number(other.run?.N ?? 0) - Number(one.run?.N ?? 0));
  };

  const target = join(folder, "b");
  await backUp({ table, silo: "s1", shards: 1, folder: target, log, nowAt: 0 });
  const elsewhere = new MemoryTable();
  await restore({ table: elsewhere, folder: target, log });

  const restored = new Checkpoint(elsewhere, "s1", 0);
  for (const avatar of ["alice", "bob"])
    expect((await restored.read(avatar)).entries).toEqual([
      { key: "b", value: "1" },
      { key: "c", value: "2" },
    ]);
});
