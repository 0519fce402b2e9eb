import fc from "fast-check";
import { expect, test } from "vitest";
import { backOffMs } from "./back-off.ts";

test("a delay is never above the maximum and never below half of its exponential step", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, random) => {
        const delay = backOffMs(attempt, { firstMs: 100, maxMs: 5_000 }, random);
        const whole = Math.min(5_000, 100 * 2 ** (attempt - 1));
        expect(delay).toBeGreaterThanOrEqual(Math.floor(whole / 2));
        expect(delay).toBeLessThanOrEqual(whole);
      },
    ),
  );
});
