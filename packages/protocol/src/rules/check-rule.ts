/** Rules and what is said of single subscriptions: what contradicts itself, and what can never happen. */
import { checkFilter, type FilterCounts } from "./check-filter.ts";
import { checkLadderOrName } from "./check-ladder.ts";
import { checkDigest, checkMute } from "./check-times.ts";
import type { Digest, Mute, Rule, Rules, Step } from "./document.ts";
import { type KnownThings, pointerPart, type RuleProblem } from "./problem.ts";
import { canonical } from "./truth.ts";

/** Checks `subscriptions` and `rules` of a document. */
export function checkRules(rules: Rules, known: KnownThings): RuleProblem[] {
  const counts: FilterCounts = { parts: 0, patterns: 0 };
  const names = new Set(Object.keys(rules.ladders));
  const ofSubscriptions = Object.entries(rules.subscriptions).flatMap(([id, its]) => {
    const pointer = `/subscriptions${pointerPart(id)}`;
    if (!known.subscriptions.includes(id)) return [{ pointer, detail: UNKNOWN_SUBSCRIPTION }];
    const filter = its.filter === undefined ? [] : checkFilter(its.filter, `${pointer}/filter`, counts);
    return [...filter, ...checkOutcome(its, pointer, names, known)];
  });
  const ofRules = rules.rules.flatMap((rule, at) => [
    ...(rule.when.match === undefined ? [] : checkFilter(rule.when.match, `/rules/${at}/when/match`, counts)),
    ...checkOutcome(rule.set, `/rules/${at}/set`, names, known),
    ...checkRule(rule, at, rules, known),
  ]);
  return [...ofSubscriptions, ...ofRules];
}

const UNKNOWN_SUBSCRIPTION =
  "You have no subscription of this id; take it out, or use an id from GET /v1/subscriptions.";

interface Outcome {
  readonly ladder?: string | readonly Step[] | undefined;
  readonly mute?: Mute | undefined;
  readonly digest?: Digest | undefined;
}

function checkOutcome(
  { ladder, mute, digest }: Outcome,
  pointer: string,
  names: ReadonlySet<string>,
  known: KnownThings,
): RuleProblem[] {
  return [
    ...(ladder === undefined ? [] : checkLadderOrName(ladder, `${pointer}/ladder`, names, known)),
    ...(mute === undefined ? [] : checkMute(mute, `${pointer}/mute`)),
    ...(digest === undefined ? [] : checkDigest(digest, `${pointer}/digest`)),
  ];
}

function checkRule(rule: Rule, at: number, rules: Rules, known: KnownThings): RuleProblem[] {
  const pointer = `/rules/${at}`;
  return [
    ...checkSet(rule, `${pointer}/set`),
    ...checkName(rule, at, rules.rules),
    ...checkSubscriptions(rule, `${pointer}/when/subscriptions`, rules, known),
    ...checkShadow(rule, at, rules.rules),
  ];
}

function checkSet({ set }: Rule, pointer: string): RuleProblem[] {
  const { priority, ladder, mute, digest } = set;
  if ([priority, ladder, mute, digest].every((part) => part === undefined))
    return [
      {
        pointer,
        detail: "This rule changes nothing; say a priority, a ladder, a digest or mute, or take it out.",
      },
    ];
  if (mute === true && (ladder ?? digest ?? priority) !== undefined)
    return [
      {
        pointer: `${pointer}/mute`,
        detail: "What is muted goes nowhere, so the rest of this rule does nothing; keep mute or the rest.",
      },
    ];
  if (priority === "urgent" && digest !== undefined)
    return [
      {
        pointer: `${pointer}/digest`,
        detail: "What is urgent does not wait for a digest; keep one of the two.",
      },
    ];
  return [];
}

function checkName({ name }: Rule, at: number, all: readonly Rule[]): RuleProblem[] {
  if (all.findIndex((other) => other.name === name) === at) return [];
  return [
    {
      pointer: `/rules/${at}/name`,
      detail: "Another rule has this name; reasons name rules, so give it one of its own.",
    },
  ];
}

function checkSubscriptions(
  { when }: Rule,
  pointer: string,
  rules: Rules,
  known: KnownThings,
): RuleProblem[] {
  const ids = when.subscriptions ?? [];
  const unknown = ids.flatMap((id, at) =>
    known.subscriptions.includes(id) ? [] : [{ pointer: `${pointer}/${at}`, detail: UNKNOWN_SUBSCRIPTION }],
  );
  if (unknown.length > 0 || ids.length === 0) return unknown;
  if (!ids.every((id) => rules.subscriptions[id]?.mute === true)) return [];
  return [
    {
      pointer,
      detail:
        "All of these subscriptions are muted, so this rule can never apply; unmute one, or take the rule out.",
    },
  ];
}

/** The first rule that matches counts: one behind a rule that matches all that it does can never apply. */
function checkShadow(rule: Rule, at: number, all: readonly Rule[]): RuleProblem[] {
  const before = all.slice(0, at).find((earlier) => covers(earlier.when, rule.when));
  if (before === undefined) return [];
  const detail = `The rule "${before.name}" above matches all that this one does, so this one can never apply; move it up, or take it out.`;
  return [{ pointer: `/rules/${at}`, detail }];
}

function covers(earlier: Rule["when"], later: Rule["when"]): boolean {
  const includesAll = (wide: readonly string[] | undefined, narrow: readonly string[] | undefined) =>
    wide === undefined || (narrow?.every((one) => wide.includes(one)) ?? false);
  const matchesAll =
    earlier.match === undefined ||
    (later.match !== undefined && canonical(earlier.match) === canonical(later.match));
  return (
    matchesAll &&
    includesAll(earlier.subscriptions, later.subscriptions) &&
    includesAll(earlier.priorities, later.priorities)
  );
}
