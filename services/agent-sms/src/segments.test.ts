import fc from "fast-check";
import { expect, test } from "vitest";
import { plainTypography, segmentsOf } from "./segments.ts";

test.each([
  ["", "GSM-7", 1],
  ["a".repeat(160), "GSM-7", 1],
  ["a".repeat(161), "GSM-7", 2],
  ["a".repeat(306), "GSM-7", 2],
  ["a".repeat(307), "GSM-7", 3],
  ["ä".repeat(160), "GSM-7", 1],
  ["€".repeat(80), "GSM-7", 1],
  ["€".repeat(81), "GSM-7", 2],
  ["ж".repeat(70), "UCS-2", 1],
  ["ж".repeat(71), "UCS-2", 2],
  ["ж".repeat(134), "UCS-2", 2],
  ["ж".repeat(135), "UCS-2", 3],
  ["🏠".repeat(35), "UCS-2", 1],
  ["`", "UCS-2", 1],
])("%j… is %s in segments as the standard counts", (text, encoding, count) => {
  expect(segmentsOf(text)).toEqual({ encoding, count });
});

test("a character of two units is not cut in two at the end of a segment", () => {
  expect(segmentsOf(`${"a".repeat(152)}€${"a".repeat(152)}`).count).toBe(3);
  expect(segmentsOf(`${"🏠".repeat(33)}🏠${"🏠".repeat(33)}`).count).toBe(3);
});

test("quotes and dashes of typesetters do not make a text dear", () => {
  const text = plainTypography("“Two rooms” – quiet street…\u00a0it’s yours");
  expect(text).toBe('"Two rooms" - quiet street... it\'s yours');
  expect(segmentsOf(text).encoding).toBe("GSM-7");
});

test("more text never takes fewer segments", () => {
  const text = fc.string({ unit: fc.constantFrom(..."abc€ж", "🏠"), maxLength: 400, size: "max" });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(segmentsOf(a + b).count).toBeGreaterThanOrEqual(segmentsOf(a).count);
    }),
  );
});
