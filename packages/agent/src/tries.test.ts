import { expect, test } from "vitest";
import { FIRST_STEP, nextStep, type SendOutcome, type Step } from "./tries.ts";

const NOT_TAKEN: SendOutcome = { kind: "notTaken", error: new Error("away") };
const AWAY = { condition: "remote-server-timeout", mayRetry: true, text: "later" };
const REFUSAL = { condition: "item-not-found", mayRetry: false, text: "no" };

function steps(...outcomes: SendOutcome[]): Step[] {
  const all: Step[] = [FIRST_STEP];
  for (let step: Step = FIRST_STEP; step.does === "send"; all.push(step))
    step = nextStep(
      step.tries,
      (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) as SendOutcome,
      AWAY,
      0,
    );
  return all;
}

test("what is taken is handed, and what is refused is refused for good", () => {
  expect(steps({ kind: "taken" })).toEqual([FIRST_STEP, { does: "hand" }]);
  expect(steps({ kind: "refused", refusal: REFUSAL })).toEqual([
    FIRST_STEP,
    { does: "refuse", refusal: REFUSAL },
  ]);
});

test("a server that comes back has the message", () => {
  expect(steps(NOT_TAKEN, NOT_TAKEN, { kind: "taken" }).map(({ does }) => does)).toEqual([
    "send",
    "send",
    "send",
    "hand",
  ]);
});

test("a server that is away is tried ten times, later and later, and then the avatar may order it again", () => {
  const all = steps(NOT_TAKEN);
  expect(all.map((step) => (step.does === "send" ? step.afterMs : null))).toEqual([
    0,
    ...[1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
    null,
  ]);
  expect(all.at(-1)).toEqual({ does: "refuse", refusal: AWAY });
});

test("a server that says when to come again is not asked before, and not waited for very long", () => {
  const wants = (afterMs: number): SendOutcome => ({ kind: "notTaken", error: new Error("busy"), afterMs });
  expect(nextStep(0, wants(90_000), AWAY, 0)).toEqual({ does: "send", afterMs: 90_000, tries: 1 });
  expect(nextStep(0, wants(3_600_000), AWAY, 0)).toEqual({ does: "refuse", refusal: AWAY });
});
