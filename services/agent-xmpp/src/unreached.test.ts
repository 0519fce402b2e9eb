import { expect, test } from "vitest";
import { Unreached } from "./unreached.ts";

test("who could not be reached is asked again, later and later, until reached or for a day", () => {
  const unreached = new Unreached(() => 0.99);
  unreached.add("alice", "alice@far", 0);
  const asked: number[] = [];
  for (let nowMs = 0; nowMs < 25 * 3_600_000; nowMs += 500) {
    if (unreached.due(nowMs).length > 0) asked.push(nowMs);
  }
  expect(asked[0]).toBeLessThanOrEqual(2_000);
  expect(asked.length).toBeLessThan(320);
  expect(unreached.size).toBe(0);
  unreached.add("alice", "alice@far", 0);
  unreached.reached("alice", "alice@far");
  expect(unreached.due(3_600_000)).toEqual([]);
});

test("ten thousand addresses are asked a hundred at a time, and what is remembered is bounded", () => {
  const unreached = new Unreached(() => 0);
  for (let at = 0; at < 60_000; at++) unreached.add(`u${at}`, `u${at}@far${at % 10_000}`, 0);
  expect(unreached.size).toBe(50_000);
  expect(unreached.due(10_000)).toHaveLength(100);
});
