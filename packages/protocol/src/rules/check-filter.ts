import type { Filter } from "./document.ts";
import { RULE_LIMITS } from "./document.ts";
import { compilePattern, PatternError } from "./pattern.ts";
import type { RuleProblem } from "./problem.ts";
import { truthOf } from "./truth.ts";

/** Counts over a whole document, which its filters share. */
export interface FilterCounts {
  parts: number;
  patterns: number;
}

/** What is wrong with the filter at `pointer`; `counts` goes up by what it holds. */
export function checkFilter(filter: Filter, pointer: string, counts: FilterCounts): RuleProblem[] {
  const problems = checkPart(filter, pointer, 1, counts);
  if (problems.length > 0) return problems;
  if (truthOf(filter) !== "never") return [];
  const detail =
    "This filter contradicts itself and lets nothing through; take one side of the contradiction out.";
  return [{ pointer, detail }];
}

function checkPart(filter: Filter, pointer: string, depth: number, counts: FilterCounts): RuleProblem[] {
  if (depth > RULE_LIMITS.filterDepth)
    return [
      {
        pointer,
        detail: `Filters go ${RULE_LIMITS.filterDepth} levels deep at most; make this one flatter.`,
      },
    ];
  if (++counts.parts > RULE_LIMITS.filterParts)
    return [
      {
        pointer,
        detail: `All filters together have ${RULE_LIMITS.filterParts} parts at most; take some out.`,
      },
    ];
  const form = checkForm(filter, pointer);
  if (form !== null) return [form];
  if (filter.matches !== undefined) return checkPattern(filter.matches, `${pointer}/matches`, counts);
  const inner = (part: Filter, at: string) => checkPart(part, pointer + at, depth + 1, counts);
  return [
    ...(filter.all ?? []).flatMap((part, at) => inner(part, `/all/${at}`)),
    ...(filter.any ?? []).flatMap((part, at) => inner(part, `/any/${at}`)),
    ...(filter.not === undefined ? [] : inner(filter.not, "/not")),
  ];
}

function checkForm(filter: Filter, pointer: string): RuleProblem | null {
  const { all, any, not, contains, matches } = filter;
  const forms = [all, any, not, contains, matches].filter((form) => form !== undefined).length;
  if (forms !== 1)
    return {
      pointer,
      detail: "A filter is one of all, any, not, contains or matches; combine them with all or any.",
    };
  if (filter.in !== undefined && contains === undefined && matches === undefined)
    return { pointer: `${pointer}/in`, detail: "in goes with contains or matches; move it to those parts." };
  return null;
}

function checkPattern(pattern: string, pointer: string, counts: FilterCounts): RuleProblem[] {
  if (++counts.patterns > RULE_LIMITS.patterns)
    return [
      {
        pointer,
        detail: `A document has ${RULE_LIMITS.patterns} expressions at most; use contains where it does.`,
      },
    ];
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    if (error instanceof PatternError) return [{ pointer, detail: error.message }];
    throw error;
  }
}
