import { expect, test } from "vitest";
import { Pending } from "./pending.ts";
import type { DeliveriesRow, Delivery } from "./rows.ts";
import { aDelivery, destinationAt } from "./rules/scene.ts";

const im = destinationAt("im", "alice@d");
const row = (state: Delivery["state"], rest: Partial<Delivery> = {}): DeliveriesRow => ({
  deliveries: [{ ...aDelivery(im, state, 0), ...rest }],
  trace: [],
});
const offline = { because: "offline" } as const;

test("what is held is given oldest first, whatever the order in which it became so, and a new state keeps its place", () => {
  const pending = new Pending();
  for (const number of ["2", "1", "3"]) pending.keep(number, row("held", offline), 0);
  expect([...pending.held()]).toEqual(["1", "2", "3"]);
  const seen: string[] = [];
  for (const number of pending.held()) {
    seen.push(number);
    pending.keep(number, row("held", { because: "inLine" }), 0);
  }
  expect(seen).toEqual(["1", "2", "3"]);
  pending.keep("2", row("dispatched"), 0);
  expect([...pending.held()]).toEqual(["1", "3"]);
});

test("only what could go waits in line, and makes its destination busy until it is gone", () => {
  const pending = new Pending();
  pending.keep("1", row("held", offline), 0);
  expect([...pending.line()]).toEqual([]);
  expect(pending.busy().size).toBe(0);
  pending.keep("2", row("held", { because: "inLine" }), 0);
  pending.keep("3", row("held"), 0);
  expect([...pending.line()]).toEqual(["2", "3"]);
  expect([...pending.busy()]).toEqual(["im"]);
  pending.forget("2");
  pending.keep("3", row("dispatched"), 0);
  expect(pending.busy().size).toBe(0);
  expect(pending.inFlight).toBe(1);
});

test("something is due when the first of what is held has come to its time, and not again once that has been looked at", () => {
  const pending = new Pending();
  pending.keep("1", row("held", { ...offline, untilAt: 100 }), 0);
  pending.keep("2", row("held", { ...offline, untilAt: 50 }), 0);
  pending.keep("3", row("dispatched"), 0);
  expect(pending.isDue(49)).toBe(false);
  expect(pending.isDue(50)).toBe(true);
  pending.lookedAt(50);
  expect(pending.isDue(99)).toBe(false);
  expect(pending.isDue(100)).toBe(true);
});
