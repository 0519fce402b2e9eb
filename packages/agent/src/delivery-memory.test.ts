import type { Dispatch } from "@tidings/protocol";
import { expect, test } from "vitest";
import { BoundedMap } from "./bounded-map.ts";
import { type Delivery, DeliveryMemory } from "./delivery-memory.ts";
import { dispatchTo } from "./silo-stage.ts";

const HOUR_MS = 3_600_000;
const dispatch = (changes: Partial<Dispatch> = {}) => dispatchTo("alice@d.test", changes);

test("the same attempt is begun once in 24 hours, and a higher one is begun", () => {
  const memory = new DeliveryMemory();
  expect(typeof memory.begin(dispatch(), 0)).toBe("string");
  expect(typeof memory.begin(dispatch(), 24 * HOUR_MS - 1)).toBe("object");
  expect(typeof memory.begin(dispatch({ attempt: 2 }), 24 * HOUR_MS - 1)).toBe("string");
  expect(typeof memory.begin(dispatch(), 24 * HOUR_MS)).toBe("object");
  expect(typeof memory.begin(dispatch({ address: "alice@elsewhere.test" }), 1)).toBe("string");
});

test("above its bounds, in number and in characters, a map forgets the oldest first", () => {
  const byNumber = new BoundedMap<string, number>(3);
  for (let n = 0; n < 5; n++) byNumber.set(`k${n}`, n, HOUR_MS, 0);
  expect([1, 2, 3, 4].map((n) => byNumber.get(`k${n}`, 0))).toEqual([undefined, 2, 3, 4]);

  const byChars = new BoundedMap<string, number>(1_000, 100);
  for (let n = 0; n < 10; n++) byChars.set(`${n}`.repeat(30), n, HOUR_MS, 0);
  expect(byChars.size).toBe(3);
  expect(byChars.get("9".repeat(30), 0)).toBe(9);
});

test("what is over is forgotten with the next entry, not only when it is looked for", () => {
  const map = new BoundedMap<string, number>(1_000);
  for (let n = 0; n < 100; n++) map.set(`k${n}`, n, HOUR_MS, 0);
  map.set("new", 1, HOUR_MS, HOUR_MS);
  expect(map.size).toBe(1);
});

test("a refusal is reported with its sentence, and nothing else has one", () => {
  const memory = new DeliveryMemory();
  const key = memory.begin(dispatch(), 0) as string;
  expect(memory.advance(key, "handed", 1)).not.toHaveProperty("text");
  const refusal = { condition: "not-acceptable", mayRetry: false, text: "This number is a landline." };
  expect(memory.advance(key, "refused", 2, refusal)).toMatchObject({ state: "refused", ...refusal });
});

test("a sentence that no shard would take is cut", () => {
  const memory = new DeliveryMemory();
  const refusal = { condition: "not-allowed", mayRetry: false, text: "x".repeat(5_000) };
  const report = memory.advance(memory.begin(dispatch(), 0) as string, "refused", 1, refusal);
  expect(report?.text).toHaveLength(500);
});

test("what is kept elsewhere is remembered by the next memory", () => {
  const store = new BoundedMap<string, Delivery>(10);
  new DeliveryMemory(store).begin(dispatch(), 0);
  expect(new DeliveryMemory(store).begin(dispatch(), 1)).toMatchObject({ attempt: 1, report: null });
});
