import { expect, test } from "vitest";
import { localTime } from "./local-time.ts";

test.each([
  ["UTC", "2026-11-25 07:12 UTC"],
  ["Europe/Berlin", "2026-11-25 08:12 GMT+1"],
  ["Asia/Kolkata", "2026-11-25 12:42 GMT+5:30"],
  ["America/New_York", "2026-11-25 02:12 GMT-5"],
  ["Mars/Olympus", "2026-11-25 07:12 UTC"],
])("in %s it is %s", (zone, text) => {
  expect(localTime(Date.UTC(2026, 10, 25, 7, 12), zone)).toBe(text);
});

test("the clock of that day counts, not today's", () => {
  expect(localTime(Date.UTC(2026, 6, 1, 22, 0), "Europe/Berlin")).toBe("2026-07-02 00:00 GMT+2");
});

test("what is no time is nothing", () => expect(localTime(Number.NaN, "UTC")).toBe(""));
