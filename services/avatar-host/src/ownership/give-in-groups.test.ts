import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Giving, giveInGroups } from "./give-in-groups.ts";

const shards = Array.from({ length: 32 }, (_, shard) => shard);

/** An heir that takes each free shard after `takesMs`. */
function heir(takesMs: number, more: Partial<Giving> = {}) {
  const away = new Set<number>();
  const seen = { given: [] as number[], mostAway: 0 };
  const giving: Giving = {
    give: async (shard) => {
      away.add(shard);
      seen.given.push(shard);
      seen.mostAway = Math.max(seen.mostAway, away.size);
      await pause(1);
      setTimeout(() => away.delete(shard), takesMs);
    },
    isTaken: async (shard) => !away.has(shard),
    hasHeirs: true,
    monotonicMs: () => performance.now(),
    ...more,
  };
  return { giving, seen };
}

test("few shards are away at a time, and all are given", async () => {
  const { giving, seen } = heir(20);
  await giveInGroups(shards, giving);
  expect(seen.given.toSorted((a, b) => a - b)).toEqual(shards);
  expect(seen.mostAway).toBeLessThanOrEqual(4);
});

test("without an heir all go at once", async () => {
  const { giving, seen } = heir(60_000, { hasHeirs: false });
  const startedAt = performance.now();
  await giveInGroups(shards, giving);
  expect(seen.given).toHaveLength(shards.length);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test("an heir that takes nothing holds nobody up for longer than the time for groups", async () => {
  let nowMs = 0;
  const { giving, seen } = heir(60_000, { monotonicMs: () => (nowMs += 250) });
  await giveInGroups(shards, giving);
  expect(seen.given.toSorted((a, b) => a - b)).toEqual(shards);
});

test("a table that does not answer holds nobody up either", async () => {
  const isTaken = () => Promise.reject(new Error("no table"));
  const { giving, seen } = heir(60_000, { isTaken });
  await giveInGroups(shards, giving);
  expect(seen.given).toHaveLength(shards.length);
});
