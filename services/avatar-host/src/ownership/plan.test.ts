import { SHARDS } from "@tidings/protocol";
import type { Lease } from "@tidings/store";
import { expect, test } from "vitest";
import { DEAD_AFTER_MS, type Observed, observe, planRound } from "./plan.ts";

const me = { host: "h1", inc: "a" };
const beat = (host: string, inc: string, since: number): Observed => ({ host, inc, hb: 1, since });
const lease = (shard: number, host: string, inc: string): Lease => ({
  shard,
  owner: { host, inc },
  epoch: 1,
});
const all = Array.from({ length: SHARDS }, (_, shard) => shard);

test("a host that is alone takes every shard, some in each round", () => {
  const owned = new Set<number>();
  for (let round = 0; round < 10; round++) {
    for (const shard of planRound({ me, leases: [], hosts: [beat("h1", "a", 0)], owned, now: 0 }).take)
      owned.add(shard);
  }
  expect(owned.size).toBe(SHARDS);
});

test("two hosts that start together begin at different shards and stop at half", () => {
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const first = planRound({ me, leases: [], hosts, owned: new Set(), now: 0 }).take;
  const second = planRound({
    me: { host: "h2", inc: "b" },
    leases: [],
    hosts,
    owned: new Set(),
    now: 0,
  }).take;
  expect(first.filter((shard) => second.includes(shard))).toEqual([]);
  expect(planRound({ me, leases: [], hosts, owned: new Set(all.slice(0, SHARDS / 2)), now: 0 }).take).toEqual(
    [],
  );
});

test("a shard is left to an owner whose heartbeat moves, and taken when it has stood still for ten seconds", () => {
  const leases = all.map((shard) => lease(shard, "h2", "b"));
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  expect(planRound({ me, leases, hosts, owned: new Set(), now: DEAD_AFTER_MS - 1 }).take).toEqual([]);
  expect(planRound({ me, leases, hosts, owned: new Set(), now: DEAD_AFTER_MS }).take.length).toBeGreaterThan(
    0,
  );
});

test("the shards of an earlier incarnation are free at once, the own one included", () => {
  const leases = [lease(3, "h1", "before"), lease(4, "h2", "before")];
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const others = all.filter((shard) => shard !== 3 && shard !== 4).map((shard) => lease(shard, "h2", "b"));
  const { take } = planRound({ me, leases: [...leases, ...others], hosts, owned: new Set(), now: 0 });
  expect([...take].sort()).toEqual([3, 4]);
});

test("a host above its share gives shards back when another one comes", () => {
  const plan = planRound({
    me,
    leases: [],
    hosts: [beat("h1", "a", 0), beat("h2", "b", 0)],
    owned: new Set(all),
    now: 0,
  });
  expect(plan.take).toEqual([]);
  expect(plan.release.length).toBeGreaterThan(0);
});

test("a heartbeat stands still from when its number was first seen, not from when it was last read", () => {
  const first = observe([], [{ host: "h2", inc: "b", hb: 7 }], 100);
  const second = observe(first, [{ host: "h2", inc: "b", hb: 7 }], 5_000);
  expect(second[0]?.since).toBe(100);
  expect(observe(second, [{ host: "h2", inc: "b", hb: 8 }], 6_000)[0]?.since).toBe(6_000);
  expect(observe(second, [{ host: "h2", inc: "c", hb: 7 }], 6_000)[0]?.since).toBe(6_000);
});
