import { expect, test } from "vitest";
import { growthOf } from "./memory-watch.ts";

const samples = (bytesAt: (second: number) => number) =>
  Array.from({ length: 45 }, (_, second) => ({ atMs: second * 1_000, rssBytes: bytesAt(second) }));

test("memory that goes up and down around a level is steady", () => {
  expect(growthOf(samples((second) => 100e6 + (second % 2) * 20e6))).toMatch(/^steady/);
});

test("memory that goes up by a megabyte a second grows, and the other way round falls", () => {
  expect(growthOf(samples((second) => 100e6 + second * 1e6))).toBe("grows (+60.0 MB a minute)");
  expect(growthOf(samples((second) => 200e6 - second * 1e6))).toBe("falls (−60.0 MB a minute)");
});

test("nothing is said to grow from one sample", () => {
  expect(growthOf([{ atMs: 0, rssBytes: 1 }])).toBe("steady (+0.0 MB a minute)");
});
