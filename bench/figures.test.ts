import { expect, test } from "vitest";
import { isMissed, percentile, shareOf, spread, tableOf } from "./figures.ts";

test("the share of a rate is what is left of the raw one, of a time what the servers take of it anyway", () => {
  expect(shareOf({ name: "items", value: 400, unit: "/s", raw: 4_000 })).toBe(0.1);
  expect(shareOf({ name: "way", value: 10, unit: "ms", raw: 4 })).toBe(0.4);
  expect(shareOf({ name: "way", value: 10, unit: "ms" })).toBeNull();
});

test("a target is missed above the most and below the least, and by a figure that is no number", () => {
  const figure = { name: "way", unit: "ms" };
  expect(isMissed({ ...figure, value: 5, target: { most: 5 } })).toBe(false);
  expect(isMissed({ ...figure, value: 5.1, target: { most: 5 } })).toBe(true);
  expect(isMissed({ ...figure, value: 9, target: { least: 10 } })).toBe(true);
  expect(isMissed({ ...figure, value: Number.NaN, target: { most: 5 } })).toBe(true);
  expect(isMissed({ ...figure, value: 5 })).toBe(false);
});

test("of first, median and last only the last has the target", () => {
  const figures = spread([3, 1, 2], { name: "back", unit: "s", target: { most: 2 }, raw: 1 });
  expect(figures.map(({ value }) => value)).toEqual([1, 2, 3]);
  expect(figures.map(isMissed)).toEqual([false, false, true]);
  expect(percentile([], 0.5)).toBeNaN();
});

test("the table has one line for each figure, under the name of its suite, and says what was missed", () => {
  const lines = tableOf({
    takeover: [{ name: "last", value: 16, unit: "s", target: { most: 15 }, raw: 10, beside: "3 times" }],
  });
  expect(lines).toEqual([
    "figure    value       target  raw limit    share",
    "takeover",
    "  last     16 s  ≤ 15 MISSED       10 s  62.50 %  3 times",
  ]);
});
