import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import { Alarms } from "./alarms.ts";
import { TakenOver } from "./taken-over.ts";

const atOnce = { run: (work: () => void) => work() };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("ten thousand sources whose job may be out have their turn within ten seconds, without a peak; others have none", () => {
  const rows = new MemoryRows();
  const alarms = new Alarms("_1", rows, () => {});
  const beganAt = Date.now();
  const set = (avatar: string, inMs: number) =>
    rows.apply(alarms.rows(avatar, { from: null, to: beganAt + inMs }));
  for (let n = 0; n < 10_000; n++) set(`rss.${n}`, n * 12);
  set("rss.later", 121_000);
  set("rss.due", -1);
  set("alice", 60_000);
  const perSecond: number[] = [];
  const given = new Set<string>();
  const give = (sources: readonly string[]) => {
    const second = Math.floor((Date.now() - beganAt) / 1_000);
    perSecond[second] = (perSecond[second] ?? 0) + sources.length;
    for (const source of sources) given.add(source);
  };

  new TakenOver("_1", rows, give, atOnce).start(beganAt);
  vi.advanceTimersByTime(10_000);

  expect(given.size).toBe(10_000);
  expect([...given].filter((name) => !/^rss\.\d+$/.test(name))).toEqual([]);
  expect(Math.max(...perSecond)).toBeLessThanOrEqual(1_300);
});
