import { expect, test } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const NOW_AT = Date.UTC(2026, 10, 22, 12, 0, 0);

test.each([
  ["120", 120_000],
  [" 0 ", 0],
  ["Sun, 22 Nov 2026 12:05:00 GMT", 300_000],
  ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
  ["99999999999", 7 * 24 * 3_600_000],
  ["soon", null],
  ["-5", null],
  [null, null],
])("Retry-After %s is %s ms", (field, expected) => {
  expect(retryAfterMs(field, NOW_AT)).toBe(expected);
});
