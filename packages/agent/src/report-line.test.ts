import type { Report } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ReportLine } from "./report-line.ts";

const NO_CHANCE = () => 0;

function newLine() {
  let count = 0;
  return new ReportLine(1, () => `b${count++}`);
}

function offlineReport(user: string, address: string, order: number): Report {
  return {
    kind: "presence",
    user,
    address,
    resource: "",
    show: "offline",
    priority: 0,
    idleSinceAt: null,
    order,
  } as Report;
}

function delivery(user: string, attempt: number): Report {
  return {
    kind: "delivery",
    user,
    notification: "n",
    destination: "d",
    attempt,
    state: "handed",
    condition: null,
    mayRetry: false,
    at: 0,
  } as Report;
}

test("what is not acknowledged is sent again with the same id, later and later", () => {
  const line = newLine();
  line.add(delivery("alice", 1));
  const sentAt: number[] = [];
  for (let nowAt = 0; nowAt <= 60_000; nowAt += 100) {
    for (const { id } of line.take(nowAt, NO_CHANCE)) {
      expect(id).toBe("b0");
      sentAt.push(nowAt);
    }
  }
  expect(sentAt).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 30_500, 45_500]);
  expect(line.acknowledge("b0")).toBe(true);
  expect(line.take(100_000, NO_CHANCE)).toEqual([]);
  expect(line.acknowledge("b0")).toBe(false);
});

test("of the waiting presence of one resource only the last is sent", () => {
  const line = newLine();
  for (let order = 1; order <= 100; order++) line.add(offlineReport("alice", "alice@d", order));
  expect(line.take(0, NO_CHANCE).flatMap(({ reports }) => reports)).toMatchObject([{ order: 100 }]);
});

test("under load reports gather into full batches, four in flight", () => {
  const line = newLine();
  for (let i = 0; i < 1_000; i++) line.add(delivery(`u${i}`, 1));
  expect(line.take(0, NO_CHANCE).map(({ reports }) => reports.length)).toEqual([200, 200, 200, 200]);
  expect(line.take(1, NO_CHANCE)).toEqual([]);
});

test("long names make batches shorter, so that none is more than a server lets through", () => {
  const line = newLine();
  const address = `${"a".repeat(1_000)}@${"d".repeat(1_000)}`;
  for (let i = 0; i < 400; i++) line.add(offlineReport(`u${i}`, address + i, 1));
  for (const { reports } of line.take(0, NO_CHANCE))
    expect(JSON.stringify(reports).length).toBeLessThan(100_000);
});

test("long reasons make batches shorter too", () => {
  const line = newLine();
  for (let i = 0; i < 400; i++) line.add({ ...delivery(`u${i}`, 1), text: "x".repeat(500) } as Report);
  for (const { reports } of line.take(0, NO_CHANCE))
    expect(JSON.stringify(reports).length).toBeLessThan(100_000);
});

test("a line that is full says that it lost something, until it begins anew", () => {
  const line = newLine();
  for (let i = 0; i < 10_001; i++) line.add(delivery("alice", i));
  expect(line.waiting).toBe(10_000);
  expect(line.isOverflowed).toBe(true);
  line.restart(2);
  expect(line.take(0, NO_CHANCE)[0]).toMatchObject({ agentEpoch: 2 });
});

test("a new epoch is announced first and voids the presence that waits", () => {
  const line = newLine();
  line.add(offlineReport("alice", "alice@d", 1));
  line.add(delivery("alice", 1));
  line.restart(2);
  const [batch] = line.take(0, NO_CHANCE);
  expect(batch?.agentEpoch).toBe(2);
  expect(batch?.reports.map(({ kind }) => kind)).toEqual(["agentUp", "delivery"]);
});

test("whatever is lost or late, the shard sees each user's reports in order, and all of them", () => {
  const users = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 });
  const luck = fc.array(fc.boolean(), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(users, luck, (whose, arrives) => {
      const line = newLine();
      whose.forEach((user, index) => void line.add(delivery(`u${user}`, index + 1)));
      const seen: Report[] = [];
      const applied = new Set<string>();
      for (let nowAt = 0, turn = 0; line.waiting + line.inFlight > 0; nowAt += 40_000) {
        for (const { id, reports } of line.take(nowAt, NO_CHANCE).toReversed()) {
          turn += 1;
          if (arrives[turn % arrives.length] === false && turn < 1_000) continue;
          if (!applied.has(id)) seen.push(...reports);
          applied.add(id);
          line.acknowledge(id);
        }
      }
      expect(seen).toHaveLength(whose.length);
      for (const user of new Set(whose)) {
        const order = seen.flatMap((report) =>
          report.kind === "delivery" && report.user === `u${user}` ? [report.attempt] : [],
        );
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
    }),
  );
});
