import { expect, test } from "vitest";
import { MemoryTable } from "../../testkit/src/memory-table.ts";
import { Checkpoint, HOLD_MS } from "./checkpoint.ts";
import { DeposedError } from "./journal.ts";

test("an owner whose successor has claimed the checkpoints begins no run, and ends none", async () => {
  const table = new MemoryTable();
  const [deposed, owner] = [new Checkpoint(table, "s1", 17), new Checkpoint(table, "s1", 17)];
  await deposed.claim(1);
  const run = (await deposed.begin(0, 0)) ?? 0;
  await owner.claim(2);

  await expect(deposed.finish(run, { seq: 9, epoch: 1 })).rejects.toBeInstanceOf(DeposedError);
  await expect(deposed.begin(0, 0)).rejects.toBeInstanceOf(DeposedError);
  await expect(deposed.claim(1)).rejects.toBeInstanceOf(DeposedError);
  expect(await owner.state()).toMatchObject({ seq: 0, voidRuns: [run] });
});

test("a back-up holds the checkpoints until its time has passed, also when it died", async () => {
  const table = new MemoryTable();
  const owner = new Checkpoint(table, "s1", 17);
  await owner.claim(1);
  const run = (await owner.begin(0, 0)) ?? 0;
  await new Checkpoint(table, "s1", 17).hold(1_000);

  expect(await owner.finish(run, { seq: 9, epoch: 1 })).toBe(false);
  expect(await owner.begin(999, 0)).toBeNull();
  expect(await owner.begin(1_000, 0)).toBe(run + 1);
});

test("a clock that is set back by an hour does not make a back-up's hold longer than ten minutes", async () => {
  const table = new MemoryTable();
  const owner = new Checkpoint(table, "s1", 17);
  await owner.claim(1);
  const nowAt = 10 * 3_600_000;
  await new Checkpoint(table, "s1", 17).hold(nowAt + HOLD_MS);

  expect(await owner.begin(nowAt - 3_600_000, 5_000)).toBeNull();
  expect(await owner.begin(nowAt - 3_600_000, 4_999 + HOLD_MS)).toBeNull();
  expect(await owner.begin(nowAt - 3_600_000, 5_000 + HOLD_MS)).toBe(1);
});

test("the position and the tombstones of the first release are understood", async () => {
  const table = new MemoryTable();
  await table.put("C#s1#17", "#position", { seq: { N: "7" }, epoch: { N: "3" } });
  await table.put("C#s1#17#alice", "gone", { seq: { N: "5" } });
  await table.put("C#s1#17#alice", "kept", { seq: { N: "5" }, value: { S: "1" } });
  const owner = new Checkpoint(table, "s1", 17);

  expect(await owner.claim(4)).toMatchObject({ seq: 7, epoch: 3, owner: 4 });
  expect((await owner.read("alice")).entries).toEqual([{ key: "kept", value: "1" }]);
});
