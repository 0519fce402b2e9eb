import type { Ask, Report } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OpenAsks } from "./open-asks.ts";

const alice: Ask = { user: "alice", addresses: ["alice@home.test", "alice@work.test"] };
let again = vi.fn<(asks: readonly Ask[]) => void>();
let asks = new OpenAsks(again);

beforeEach(() => {
  vi.useFakeTimers();
  again = vi.fn();
  asks = new OpenAsks(again, () => 1);
});

afterEach(() => {
  asks.close();
  vi.useRealTimers();
});

function presence(address: string): Report {
  const show = { show: "offline", priority: 0, idleSinceAt: null } as const;
  return { kind: "presence", user: "alice", address, resource: "", order: 1, ...show };
}

test("what nobody answers is asked again, less and less often", () => {
  asks.asked([alice]);
  vi.advanceTimersByTime(9_000);
  expect(again).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_000);
  expect(again.mock.calls).toEqual([[[alice]]]);
  vi.advanceTimersByTime(3_600_000);
  expect(again.mock.calls.length).toBeLessThan(40);
  expect(again.mock.calls.length).toBeGreaterThan(20);
});

test("only the addresses that are not answered are asked about again, and none when all are", () => {
  asks.asked([alice]);
  asks.heard([presence("alice@home.test"), { kind: "agentUp" }]);
  vi.advanceTimersByTime(12_000);
  expect(again.mock.calls).toEqual([[[{ user: "alice", addresses: ["alice@work.test"] }]]]);
  asks.heard([presence("alice@work.test")]);
  expect(asks.count).toBe(0);
  vi.advanceTimersByTime(3_600_000);
  expect(again).toHaveBeenCalledTimes(1);
});

test("a crowd that nobody answers for is bounded", () => {
  asks.asked(Array.from({ length: 30_000 }, (_, n) => ({ user: `u${n}`, addresses: [`u${n}@home.test`] })));
  expect(asks.count).toBe(20_000);
});
