import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import { Agents, agentKey } from "./agents.ts";
import { watchKey } from "./presence-round.ts";
import type { Stimulus } from "./stimulus.ts";

let rows = new MemoryRows();
let given: { users: readonly string[]; stimulus: Stimulus }[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  rows = new MemoryRows();
  given = [];
  rows.apply([{ avatar: "_1", key: watchKey("alice"), value: "1" }]);
});
afterEach(() => void vi.useRealTimers());

function agents(): Agents {
  return new Agents({
    self: "_1",
    reader: rows,
    give: (users, stimulus) => void given.push({ users, stimulus: stimulus() }),
    background: { run: (work) => work() },
  });
}

test("the lives of agents are kept apart, and outlive the shard's owner", () => {
  const first = agents();
  rows.apply([first.note("sms", 7)]);
  expect([first.epochOf("im"), first.epochOf("sms")]).toEqual([0, 7]);
  expect(rows.get("_1", agentKey("sms"))).toBe("7");
  expect(agents().epochOf("sms")).toBe(7);
});

test("of a new life those who wait hear for its channel; of a claim, for all channels that an agent ever spoke for", () => {
  const known = agents();
  known.note("sms", 7);
  known.begin("sms");
  vi.advanceTimersByTime(10_000);
  const reports = [{ kind: "agentUp" }];
  const ofSms = { kind: "reports", reports, channel: "sms", agentEpoch: 7 };
  expect(given).toEqual([{ users: ["alice"], stimulus: ofSms }]);
  given = [];
  known.isClaimed();
  vi.advanceTimersByTime(1_000);
  const ofIm = { kind: "reports", reports, channel: "im", agentEpoch: 0 };
  expect(given.map(({ stimulus }) => stimulus)).toEqual(expect.arrayContaining([ofIm, ofSms]));
  expect(given).toHaveLength(2);
});

test("what was said is in doubt from when the host is on the bus again, and once more when its claim is taken", () => {
  const known = agents();
  const seen = [known.connection()];
  known.isOnline();
  seen.push(known.connection());
  known.isClaimed();
  seen.push(known.connection());
  expect(new Set(seen).size).toBe(3);
});
