import { expect, test } from "vitest";
import { FIRST_STEP, nextStep, type Step } from "./carriage.ts";
import { RelayError, type SendOutcome } from "./relay.ts";

const NOT_TAKEN: SendOutcome = { kind: "notTaken", error: new RelayError(new Error("away")) };
const REFUSAL = { condition: "item-not-found", mayRetry: false, text: "no" };

function steps(...outcomes: SendOutcome[]): Step[] {
  const all: Step[] = [FIRST_STEP];
  for (let step: Step = FIRST_STEP; step.does === "send"; all.push(step))
    step = nextStep(step.tries, (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) as SendOutcome, 0);
  return all;
}

test("what is taken is handed, and what is refused is refused for good", () => {
  expect(steps({ kind: "taken" })).toEqual([FIRST_STEP, { does: "hand" }]);
  expect(steps({ kind: "refused", refusal: REFUSAL })).toEqual([
    FIRST_STEP,
    { does: "refuse", refusal: REFUSAL },
  ]);
});

test("a relay that comes back has the message", () => {
  expect(steps(NOT_TAKEN, NOT_TAKEN, { kind: "taken" }).map(({ does }) => does)).toEqual([
    "send",
    "send",
    "send",
    "hand",
  ]);
});

test("a relay that is away is tried ten times, later and later, and then the avatar may order it again", () => {
  const all = steps(NOT_TAKEN);
  expect(all.map((step) => (step.does === "send" ? step.afterMs : null))).toEqual([
    0,
    ...[1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
    null,
  ]);
  expect(all.at(-1)).toMatchObject({ refusal: { mayRetry: true, condition: "remote-server-timeout" } });
});
