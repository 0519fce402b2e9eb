import { expect, test } from "vitest";
import { allowance, type Usage } from "./allowance.ts";

const LIMITS = { perNumber: 5, perPrefix: 20, segmentsPerDay: 200, segmentsPerHour: 100 };
const NOW_AT = 1_000_000_000;
const HOUR_MS = 3_600_000;
const NOTHING: Usage = {
  ofNumber: 0,
  ofPrefix: 0,
  segmentsOfDay: 0,
  segmentsOfHour: 0,
  isStopped: false,
  brokenUntilAt: 0,
};

const asked = (usage: Partial<Usage>, segments = 2) =>
  allowance(segments, { ...NOTHING, ...usage }, LIMITS, NOW_AT);

test("the last message below each cap goes", () => {
  const usage = { ofNumber: 4, ofPrefix: 19, segmentsOfDay: 198, segmentsOfHour: 98, brokenUntilAt: NOW_AT };
  expect(asked(usage)).toEqual({ refusal: null, breaksUntilAt: null });
});

test.each([
  [{ isStopped: true }, /STOP/],
  [{ brokenUntilAt: NOW_AT + 1 }, /operator has been told/],
  [{ ofNumber: 5 }, /its 5 messages/],
  [{ ofPrefix: 20 }, /this range/],
  [{ segmentsOfDay: 199 }, /This installation has sent all/],
])("with %j it is refused for good, with its reason", (usage, text) => {
  expect(asked(usage)).toMatchObject({
    refusal: { condition: "policy-violation", mayRetry: false, text: expect.stringMatching(text) },
    breaksUntilAt: null,
  });
});

test("the message that would be too many in an hour opens the breaker for an hour", () => {
  expect(asked({ segmentsOfHour: 99 }).breaksUntilAt).toBe(NOW_AT + HOUR_MS);
  expect(asked({ segmentsOfHour: 99 }, 1).refusal).toBeNull();
});
