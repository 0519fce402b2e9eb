import { expect, test } from "vitest";
import { readTime } from "./read-time.ts";

const NOW_AT = Date.UTC(2026, 2, 1, 8);
const MINUTE_MS = 60_000;

test.each([
  ["30m", 30 * MINUTE_MS],
  ["2 hours", 120 * MINUTE_MS],
  ["45 s", 45_000],
  ["1d", 1_440 * MINUTE_MS],
  ["PT1H30M", 90 * MINUTE_MS],
  ["P1DT1S", 1_440 * MINUTE_MS + 1_000],
  ["2026-03-01T08:10:00Z", 10 * MINUTE_MS],
  ["2026-03-01 09:10+01:00", 10 * MINUTE_MS],
  [String(NOW_AT / 1_000 + 60), MINUTE_MS],
])("%s", (said, afterMs) => {
  expect(readTime(said, NOW_AT)).toBe(NOW_AT + afterMs);
});

test.each([
  "",
  "soon",
  "30",
  "P",
  "PT",
  "-5m",
  "2026-03-01",
  "2026-13-01T08:00:00Z",
  "12345",
  "9999999999999",
])("%j is no time", (said) => {
  expect(readTime(said, NOW_AT)).toBeNull();
});
