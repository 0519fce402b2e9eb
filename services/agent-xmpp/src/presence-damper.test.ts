import type { PresenceReport } from "@tidings/protocol";
import { expect, test } from "vitest";
import { PresenceDamper } from "./presence-damper.ts";

function report(order: number, resource = "phone", address = "alice@d"): PresenceReport {
  const show = order % 2 === 0 ? "offline" : "available";
  return { kind: "presence", user: "alice", address, resource, show, priority: 0, idleSinceAt: null, order };
}

test("presence that changes ten times a second for ten minutes is told rarely, and its end is told", () => {
  const damper = new PresenceDamper();
  const told: number[] = [];
  let order = 0;
  let nowMs = 0;
  const due = () => told.push(...damper.due(nowMs).map((said) => said.order));
  for (; nowMs < 600_000; nowMs += 100) {
    order += 1;
    if (damper.mayPass(report(order), nowMs)) told.push(order);
    due();
  }
  expect(told.length).toBeLessThan(10 + 600 / 5 + 2);
  for (const endMs = nowMs + 6_000; nowMs < endMs; nowMs += 250) due();
  expect(told.at(-1)).toBe(order);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
});

test("presence that changes now and then passes at once", () => {
  const damper = new PresenceDamper();
  for (let order = 1; order <= 100; order++) {
    expect(damper.mayPass(report(order), order * 5_000)).toBe(true);
    expect(damper.due(order * 5_000)).toEqual([]);
  }
});

test("of a thousand resources of one address twenty wait, the last ones", () => {
  const damper = new PresenceDamper();
  for (let order = 1; order <= 1_000; order++) damper.mayPass(report(order, `r${order}`), 0);
  expect(damper.due(5_000).map(({ order }) => order)).toEqual(
    Array.from({ length: 20 }, (_, at) => 981 + at),
  );
});

test("what it remembers is bounded, and forgotten when it is quiet", () => {
  const damper = new PresenceDamper();
  for (let order = 1; order <= 60_000; order++) damper.mayPass(report(order, "r", `u${order}@d`), 0);
  expect(damper.size).toBe(50_000);
  damper.due(60_000);
  expect(damper.size).toBe(0);
});
