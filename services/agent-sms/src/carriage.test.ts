import fc from "fast-check";
import { expect, test } from "vitest";
import { FIRST_LOOK, FIRST_STEP, type Finding, nextStep, type Step } from "./carriage.ts";

const REFUSAL = { condition: "item-not-found", mayRetry: false, text: "no" };
const REFUSED: Finding = { kind: "refused", refusal: REFUSAL, isStopped: false, isOurFault: false };
const NOT_TAKEN: Finding = { kind: "notTaken", error: new Error("away") };
const UNKNOWN: Finding = { kind: "unknown", error: new Error("lost") };
const TAKEN: Finding = { kind: "taken", sid: "SM1" };
const NOT_FOUND: Finding = { kind: "notFound" };
const FOUND: Finding = { kind: "found", sid: "SM1" };

/** The steps that follow when sending and looking find these, the last of them for ever. */
function steps(first: Step, onSend: readonly Finding[], onLook: readonly Finding[]): Step[] {
  const all = [first];
  const left = { send: [...onSend], look: [...onLook] };
  for (let step = first; step.does === "send" || step.does === "look"; all.push(step)) {
    const findings = left[step.does];
    const finding = (findings.length > 1 ? findings.shift() : findings[0]) as Finding;
    step = nextStep(step.stage, finding, 0);
  }
  return all;
}

const does = (all: readonly Step[]) => all.map((step) => step.does);
const waitsMs = (all: readonly Step[]) => all.map((step) => ("afterMs" in step ? step.afterMs : null));

test("what is taken is handed, what is refused is refused", () => {
  expect(steps(FIRST_STEP, [TAKEN], [])).toEqual([FIRST_STEP, { does: "hand", sid: "SM1" }]);
  expect(steps(FIRST_STEP, [REFUSED], [])[1]).toEqual({ does: "refuse", refusal: REFUSAL });
});

test("a provider that is away is tried six times, later and later, and then the next destination takes over", () => {
  const all = steps(FIRST_STEP, [NOT_TAKEN], []);
  expect(does(all)).toEqual(["send", "send", "send", "send", "send", "send", "refuse"]);
  expect(waitsMs(all)).toEqual([0, 500, 1_000, 2_000, 4_000, 7_500, null]);
  expect(all.at(-1)).toMatchObject({ refusal: { condition: "remote-server-not-found", mayRetry: false } });
});

test("a provider that comes back has the message", () => {
  expect(does(steps(FIRST_STEP, [NOT_TAKEN, NOT_TAKEN, TAKEN], []))).toEqual([
    "send",
    "send",
    "send",
    "hand",
  ]);
});

test("an answer that was lost is looked for, and what is found is handed", () => {
  const all = steps(FIRST_STEP, [UNKNOWN], [NOT_FOUND, NOT_FOUND, FOUND]);
  expect(does(all)).toEqual(["send", "look", "look", "look", "hand"]);
});

test("an answer that stays lost is refused after six looks, and said so", () => {
  const all = steps(FIRST_STEP, [UNKNOWN], [NOT_FOUND]);
  expect(does(all)).toEqual(["send", ...Array.from({ length: 6 }, () => "look"), "refuse"]);
  expect(all.at(-1)).toMatchObject({ refusal: { condition: "remote-server-timeout", mayRetry: false } });
});

test("what an earlier life may have sent is looked for and never sent", () => {
  expect(does(steps(FIRST_LOOK, [TAKEN], [NOT_FOUND]))).not.toContain("send");
});

test("whatever the provider says, nothing is sent after a lost answer, and it comes to an end", () => {
  const finding = fc.constantFrom(TAKEN, REFUSED, NOT_TAKEN, UNKNOWN);
  const looked = fc.constantFrom(FOUND, NOT_FOUND);
  const some = { minLength: 1, maxLength: 20 };
  fc.assert(
    fc.property(fc.array(finding, some), fc.array(looked, some), (onSend, onLook) => {
      const all = does(steps(FIRST_STEP, onSend, onLook));
      const firstLook = all.indexOf("look");
      if (firstLook >= 0) expect(all.lastIndexOf("send")).toBeLessThan(firstLook);
      expect(all.length).toBeLessThanOrEqual(14);
    }),
  );
});
