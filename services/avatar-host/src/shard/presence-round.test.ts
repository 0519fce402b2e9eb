import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import { AGENT_UP_SPREAD_MS, PresenceRound, watchKey } from "./presence-round.ts";

const SHARDS = 64;
const atOnce = { run: (work: () => void) => work() };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Rounds of all shards at once, each with `watchers` users; the asks of each second. */
function asksPerSecond(watchers: number): number[] {
  const perSecond: number[] = [];
  const beganAt = Date.now();
  const asked = new Set<string>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const rows = new MemoryRows();
    const keys = Array.from({ length: watchers }, (_, user) => watchKey(`u${shard}-${user}`));
    rows.apply(keys.map((key) => ({ avatar: `_${shard}`, key, value: "1" })));
    const ask = (users: readonly string[]) => {
      const second = Math.floor((Date.now() - beganAt) / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + users.length;
      for (const user of users) asked.add(user);
    };
    new PresenceRound(`_${shard}`, rows, ask, atOnce, () => shard / SHARDS).start(AGENT_UP_SPREAD_MS);
  }
  expect(vi.getTimerCount()).toBeLessThanOrEqual(SHARDS * Math.max(20, watchers / 20));
  vi.advanceTimersByTime(AGENT_UP_SPREAD_MS);
  expect(asked.size).toBe(SHARDS * watchers);
  return perSecond;
}

test.each([1, 5, 19, 78, 1_000])("a round of 64 shards with %i avatars each has no peak", (watchers) => {
  const perSecond = asksPerSecond(watchers);
  const even = (SHARDS * watchers) / (AGENT_UP_SPREAD_MS / 1_000);
  expect(Math.max(...perSecond)).toBeLessThanOrEqual(Math.ceil(even * 1.3));
});

test("a round that begins anew asks each once, and one that is closed asks nobody", () => {
  const rows = new MemoryRows();
  rows.apply([{ avatar: "_1", key: watchKey("alice"), value: "1" }]);
  const ask = vi.fn();
  const round = new PresenceRound("_1", rows, ask, atOnce);
  round.start(AGENT_UP_SPREAD_MS);
  round.start(AGENT_UP_SPREAD_MS);
  vi.advanceTimersByTime(2 * AGENT_UP_SPREAD_MS);
  expect(ask.mock.calls).toEqual([[["alice"]]]);
  round.start(AGENT_UP_SPREAD_MS);
  round.close();
  vi.advanceTimersByTime(2 * AGENT_UP_SPREAD_MS);
  expect(ask).toHaveBeenCalledTimes(1);
});

test("watchers are read a page at a time, others going first in between, and a round that is closed reads no further", () => {
  const rows = new MemoryRows();
  const keys = Array.from({ length: 2_500 }, (_, user) => watchKey(`u${user}`));
  rows.apply(keys.map((key) => ({ avatar: "_1", key, value: "1" })));
  const reads = vi.spyOn(rows, "list");
  const waiting: (() => void)[] = [];
  const asked = new Set<string>();
  const ask = (users: readonly string[]) => {
    for (const user of users) asked.add(user);
  };
  const round = new PresenceRound("_1", rows, ask, { run: (work) => void waiting.push(work) });

  round.start(AGENT_UP_SPREAD_MS);
  expect(reads).toHaveBeenCalledTimes(1);
  round.start(AGENT_UP_SPREAD_MS);
  for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) work();
  expect(reads).toHaveBeenCalledTimes(4);
  for (const [, range] of reads.mock.calls) expect(range.limit).toBeLessThanOrEqual(1_000);
  vi.advanceTimersByTime(AGENT_UP_SPREAD_MS);
  expect(asked.size).toBe(2_500);
});
