/** From what somebody sent to a document that can be trusted, or to a sentence for each thing that is wrong with it. */
import { shapeErrors } from "../schema.ts";
import { checkLadder } from "./check-ladder.ts";
import { checkRules } from "./check-rule.ts";
import { checkTimes } from "./check-times.ts";
import { DEFAULT_RULES, RULE_LIMITS, type Rules, RulesInput } from "./document.ts";
import { type KnownThings, pointerPart, type RuleProblem } from "./problem.ts";

/** Most problems that are told at once. */
const MOST_PROBLEMS = 20;
/** Levels of a document whose filters are as deep as they may be, with room to say so. */
const MOST_LEVELS = 40;

export type ReadRules =
  | { readonly rules: Rules; readonly problems: null }
  | { readonly rules: null; readonly problems: readonly RuleProblem[] };

/** The whole document that `input` stands for, or up to 20 problems. `known` is what the user has at the moment. */
export function readRules(input: unknown, known: KnownThings): ReadRules {
  const problems = problemsOf(input, known);
  if (problems.length > 0) return { rules: null, problems: problems.slice(0, MOST_PROBLEMS) };
  return { rules: withDefaults(input as Partial<Rules>), problems: null };
}

function problemsOf(input: unknown, known: KnownThings): RuleProblem[] {
  if (isDeeperThan(input, MOST_LEVELS))
    return [{ pointer: "", detail: "This is nested too deeply; make it flatter." }];
  if (Buffer.byteLength(JSON.stringify(input) ?? "") > RULE_LIMITS.documentBytes)
    return [{ pointer: "", detail: `Rules have ${RULE_LIMITS.documentBytes} bytes at most; take some out.` }];
  const shape = shapeErrors(RulesInput, input);
  if (shape.length > 0)
    return shape.map(({ pointer, message }) => ({ pointer, detail: `This ${message}; see /docs.` }));
  const rules = withDefaults(input as Partial<Rules>);
  return [
    ...checkTimes(rules),
    ...Object.entries(rules.ladders).flatMap(([name, steps]) =>
      checkLadder(steps, `/ladders${pointerPart(name)}`, known),
    ),
    ...checkRules(rules, known),
  ];
}

/** The two ladders of the defaults stay unless they are replaced by name: without `default` there would be no way at all. */
function withDefaults(input: Partial<Rules>): Rules {
  return { ...DEFAULT_RULES, ...input, ladders: { ...DEFAULT_RULES.ladders, ...input.ladders } };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
