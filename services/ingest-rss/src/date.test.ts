import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDate } from "./date.ts";

test.each([
  ["Mon, 02 Jan 2024 15:04:05 GMT", "2024-01-02T15:04:05Z"],
  ["Mon, 02 Jan 2024 15:04:05 +0100", "2024-01-02T14:04:05Z"],
  ["Mon, 2 Jan 24 15:04 EST", "2024-01-02T20:04:00Z"],
  ["02 Jan 2024", "2024-01-02T00:00:00Z"],
  ["\n Tue, 02 Jan 2024\n 15:04:05 CEST ", "2024-01-02T13:04:05Z"],
  ["Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42:40Z"],
  ["Do, 05 Dez 2024 08:00:00 MEZ", "2024-12-05T07:00:00Z"],
  ["mar., 05 août 2025 08:00:00 +0200", "2025-08-05T06:00:00Z"],
  ["5. März 2024", "2024-03-05T00:00:00Z"],
  ["05.03.2024 14:30", "2024-03-05T14:30:00Z"],
  ["2024-01-02T15:04:05Z", "2024-01-02T15:04:05Z"],
  ["2024-01-02T15:04:05.123+01:00", "2024-01-02T14:04:05.123Z"],
  ["2024-01-02T15:04:05+0100", "2024-01-02T14:04:05Z"],
  ["2024-01-02 15:04:05", "2024-01-02T15:04:05Z"],
  ["2024-01-02", "2024-01-02T00:00:00Z"],
  ["2024/1/2 3:04 PM", "2024-01-02T15:04:00Z"],
  ["Tuesday, January 2, 2024 3:04 PM", "2024-01-02T15:04:00Z"],
  ["January 2nd, 2024", "2024-01-02T00:00:00Z"],
  ["Tue, 02 Jan 2024 15:04:05 GMT+0100", "2024-01-02T14:04:05Z"],
  ["1704207845", "2024-01-02T15:04:05Z"],
  ["1704207845000", "2024-01-02T15:04:05Z"],
])("%s is %s", (text, expected) => {
  expect(new Date(parseDate(text) ?? Number.NaN)).toEqual(new Date(expected));
});

test.each([
  null,
  "",
  "yesterday",
  "0000-00-00 00:00:00",
  "Mon, 99 Foo 2024",
  "1969-12-31",
  "2999-01-01",
  "x".repeat(10_000),
])("%s is no date", (text) => {
  expect(parseDate(text)).toBeNull();
});

test("whatever is written, the result is a time or nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d:. +/TZ-]{0,40}$/)), (text) => {
      const at = parseDate(text);
      expect(at === null || Number.isSafeInteger(at)).toBe(true);
    }),
  );
});
