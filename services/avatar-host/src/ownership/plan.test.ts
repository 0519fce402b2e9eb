import { SHARDS } from "@tidings/protocol";
import type { Lease } from "@tidings/store";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DEAD_AFTER_MS, type Observed, observe, planRound, UNFIT_MS } from "./plan.ts";

const me = { host: "h1", inc: "a", isAble: true, unfitMs: 0 };
const beat = (host: string, inc: string, since: number): Observed => ({
  host,
  inc,
  hb: 1,
  place: host,
  since,
  isAble: true,
  ableSince: since,
});
const lease = (shard: number, host: string, inc: string): Lease => ({
  shard,
  owner: { host, inc },
  epoch: 1,
});
const none: ReadonlySet<number> = new Set();
const all = Array.from({ length: SHARDS }, (_, shard) => shard);

test("a host that is alone takes every shard, some in each round", () => {
  const owned = new Set<number>();
  for (let round = 0; round < 10; round++) {
    for (const shard of planRound({
      me,
      leases: [],
      hosts: [beat("h1", "a", 0)],
      owned,
      moving: none,
      now: 0,
    }).take)
      owned.add(shard);
  }
  expect(owned.size).toBe(SHARDS);
});

test("two hosts that start together begin at different shards and stop at half", () => {
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const first = planRound({ me, leases: [], hosts, owned: new Set(), moving: none, now: 0 }).take;
  const second = planRound({
    me: { ...me, host: "h2", inc: "b" },
    leases: [],
    hosts,
    owned: new Set(),
    moving: none,
    now: 0,
  }).take;
  expect(first.filter((shard) => second.includes(shard))).toEqual([]);
  expect(
    planRound({ me, leases: [], hosts, owned: new Set(all.slice(0, SHARDS / 2)), moving: none, now: 0 }).take,
  ).toEqual([]);
});

test("a shard is left to an owner whose heartbeat moves, and taken when it has stood still for ten seconds", () => {
  const leases = all.map((shard) => lease(shard, "h2", "b"));
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  expect(
    planRound({ me, leases, hosts, owned: new Set(), moving: none, now: DEAD_AFTER_MS - 1 }).take,
  ).toEqual([]);
  expect(
    planRound({ me, leases, hosts, owned: new Set(), moving: none, now: DEAD_AFTER_MS }).take.length,
  ).toBeGreaterThan(0);
});

test("the shards of an earlier incarnation are free at once, the own one included", () => {
  const leases = [lease(3, "h1", "before"), lease(4, "h2", "before")];
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const others = all.filter((shard) => shard !== 3 && shard !== 4).map((shard) => lease(shard, "h2", "b"));
  const { take } = planRound({
    me,
    leases: [...leases, ...others],
    hosts,
    owned: new Set(),
    moving: none,
    now: 0,
  });
  expect([...take].sort()).toEqual([3, 4]);
});

test("a host above its share gives shards back when another one comes", () => {
  const plan = planRound({
    me,
    leases: [],
    hosts: [beat("h1", "a", 0), beat("h2", "b", 0)],
    owned: new Set(all),
    moving: none,
    now: 0,
  });
  expect(plan.take).toEqual([]);
  expect(plan.release.length).toBeGreaterThan(0);
});

test("a host above its share gives no more while what was given is on its way", () => {
  const givenBack = (shards: readonly number[]): Lease[] =>
    shards.map((shard) => ({ shard, owner: null, epoch: 1 }));
  const releasedWith = (free: readonly number[], moving: readonly number[]) =>
    planRound({
      me,
      leases: givenBack(free),
      hosts: [beat("h1", "a", 0), beat("h2", "b", 0)],
      owned: new Set(all.slice(4)),
      moving: new Set(moving),
      now: 0,
    }).release.length;
  expect(releasedWith([], [])).toBe(4);
  expect(releasedWith([0], [1, 2])).toBe(1);
  expect(releasedWith([0, 1, 2, 3], [])).toBe(0);
  expect(releasedWith([], [0, 1, 2, 3])).toBe(0);
});

test("a heartbeat stands still from when its number was first seen, not from when it was last read", () => {
  const first = observe([], [{ host: "h2", inc: "b", hb: 7, place: "", isAble: true }], 100);
  const second = observe(first, [{ host: "h2", inc: "b", hb: 7, place: "", isAble: true }], 5_000);
  expect(second[0]?.since).toBe(100);
  expect(observe(second, [{ host: "h2", inc: "b", hb: 8, place: "", isAble: true }], 6_000)[0]?.since).toBe(
    6_000,
  );
  expect(observe(second, [{ host: "h2", inc: "c", hb: 7, place: "", isAble: true }], 6_000)[0]?.since).toBe(
    6_000,
  );
});

test("a lease of the host itself of which it knows nothing is free: the answer to its taking was lost", () => {
  const leases = [lease(3, "h1", "a"), ...all.filter((n) => n !== 3).map((n) => lease(n, "h2", "b"))];
  const view = { me, leases, hosts: [beat("h1", "a", 0), beat("h2", "b", 0)], owned: none, now: 0 };
  expect(planRound({ ...view, moving: none }).take).toEqual([3]);
  expect(planRound({ ...view, moving: new Set([3]) }).take).toEqual([]);
});

/** Rounds of all hosts in turn until nothing moves; returns the hosts' counts of shards and the moves that it took. */
function settle(names: readonly string[], leases: Map<number, string>): { counts: number[]; moves: number } {
  const hosts = names.map((host) => beat(host, host, 0));
  let moves = 0;
  for (let before = -1; before !== moves; ) {
    before = moves;
    for (const host of names) {
      const owned = new Set(all.filter((shard) => leases.get(shard) === host));
      const held = [...leases].map(([shard, owner]) => lease(shard, owner, owner));
      const plan = planRound({
        me: { ...me, host, inc: host },
        leases: held,
        hosts,
        owned,
        moving: none,
        now: 0,
      });
      for (const shard of plan.release) leases.delete(shard);
      for (const shard of plan.take) leases.set(shard, host);
      moves += plan.release.length + plan.take.length;
      expect(moves).toBeLessThan(1_000);
    }
  }
  return {
    counts: names.map((host) => [...leases.values()].filter((owner) => owner === host).length),
    moves,
  };
}

test("hosts that come and go end with shares that differ by one at most, and then leave each other alone", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 6 }), (sizes) => {
      const leases = new Map<number, string>();
      for (const size of sizes) {
        const names = Array.from({ length: size }, (_, n) => `h${n + 1}`);
        for (const [shard, owner] of leases) if (!names.includes(owner)) leases.delete(shard);
        const { counts } = settle(names, leases);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(SHARDS);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(settle(names, leases).moves).toBe(0);
      }
    }),
  );
});

const isOut = (beat: Observed): Observed => ({ ...beat, isAble: false, ableSince: null });
const half = new Set(all.slice(0, SHARDS / 2));
const leasedHalf = all.map((shard) => (half.has(shard) ? lease(shard, "h1", "a") : lease(shard, "h2", "b")));

test("a host without a bus gives its shards to one that has it, after ten seconds and not before", () => {
  const now = 60_000;
  const hosts = [isOut(beat("h1", "a", now)), { ...beat("h2", "b", now), ableSince: 0 }];
  const view = { leases: leasedHalf, hosts, owned: half, moving: none, now };
  const early = planRound({ ...view, me: { ...me, unfitMs: UNFIT_MS - 1 } });
  const late = planRound({ ...view, me: { ...me, unfitMs: UNFIT_MS } });
  expect(early).toEqual({ take: [], release: [], clear: [] });
  expect(late.release.length).toBeGreaterThan(0);
  expect(planRound({ ...view, owned: none, leases: [], me: { ...me, unfitMs: UNFIT_MS } }).take).toEqual([]);
});

test("when no host has a bus nobody gives shards away, nor as soon as the first is back", () => {
  const now = 60_000;
  const view = {
    me: { ...me, unfitMs: UNFIT_MS * 3 },
    leases: leasedHalf,
    owned: half,
    moving: none,
    now,
  };
  const nobody = [isOut(beat("h1", "a", now)), isOut(beat("h2", "b", now))];
  expect(planRound({ ...view, hosts: nobody })).toEqual({ take: [], release: [], clear: [] });
  const back = observe(nobody, [{ ...beat("h2", "b", 0), hb: 2, isAble: true }], now);
  expect(planRound({ ...view, hosts: back })).toEqual({ take: [], release: [], clear: [] });
  const later = observe(back, [{ ...beat("h2", "b", 0), hb: 3, isAble: true }], now + UNFIT_MS);
  expect(planRound({ ...view, hosts: later, now: now + UNFIT_MS }).release.length).toBeGreaterThan(0);
});

test("a host that cannot serve is not counted by one that can: its share is for those that can serve it", () => {
  const hosts = [beat("h1", "a", 0), isOut(beat("h2", "b", 0))];
  const leases = [...half].map((shard) => lease(shard, "h1", "a"));
  const view = { leases, hosts, owned: half, moving: none, now: 0 };
  expect(planRound({ ...view, me }).take.length).toBeGreaterThan(0);
  expect(planRound({ ...view, me: { ...me, isAble: false } }).take).toEqual([]);
});

test("what another host has given by name is taken beyond the share, and only when it is free", () => {
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const mine = new Set(all.slice(0, SHARDS / 2));
  const leases = all
    .filter((shard) => shard !== 40)
    .map((shard) => lease(shard, mine.has(shard) ? "h1" : "h2", mine.has(shard) ? "a" : "b"));
  const view = { me, leases, hosts, owned: mine, moving: none, now: 0 };
  expect(planRound(view).take).toEqual([]);
  expect(planRound({ ...view, offered: new Set([40, 41]) }).take).toEqual([40]);
});

test("a lease of this life that nobody serves by is cleared, with a bus or without; one that is moving is not", () => {
  const leases = [lease(3, "h1", "a"), lease(4, "h1", "a"), lease(5, "h1", "a"), lease(6, "h1", "earlier")];
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  const view = { me, leases, hosts, owned: new Set([3]), moving: new Set([4]), now: 0 };
  expect(planRound(view).clear.map(({ shard }) => shard)).toEqual([5]);
  expect(planRound({ ...view, me: { ...me, unfitMs: UNFIT_MS } }).clear.map(({ shard }) => shard)).toEqual([
    5,
  ]);
});

test("a shard that somebody waits for is taken before all others, by a host that has room", () => {
  const view = { me, leases: [], hosts: [beat("h1", "a", 0)], owned: none, moving: none, now: 0 };
  const awaited = new Set([63, 40]);
  expect(planRound({ ...view, awaited }).take.slice(0, 3)).toEqual([40, 63, 0]);
  const full = new Set(all.slice(0, SHARDS / 2));
  const hosts = [beat("h1", "a", 0), beat("h2", "b", 0)];
  expect(planRound({ ...view, hosts, owned: full, awaited }).take).toEqual([]);
});
