import { checkDuration } from "./check-times.ts";
import type { Condition, Step } from "./document.ts";
import type { KnownThings, RuleProblem } from "./problem.ts";
import { durationMs } from "./times.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** What is wrong with the steps of the ladder at `pointer`. */
export function checkLadder(steps: readonly Step[], pointer: string, known: KnownThings): RuleProblem[] {
  const problems = steps.flatMap((step, at) => checkStep(step, `${pointer}/${at}`, known));
  return problems.length > 0 ? problems : checkOrder(steps, pointer);
}

/** The ladder of this name or these steps: a name must be in `ladders`. */
export function checkLadderOrName(
  ladder: string | readonly Step[],
  pointer: string,
  names: ReadonlySet<string>,
  known: KnownThings,
): RuleProblem[] {
  if (typeof ladder !== "string") return checkLadder(ladder, pointer, known);
  if (names.has(ladder)) return [];
  return [
    {
      pointer,
      detail: `There is no ladder of this name; add it under /ladders, or use ${[...names].join(" or ")}.`,
    },
  ];
}

function checkStep(step: Step, pointer: string, known: KnownThings): RuleProblem[] {
  const { to, destination, when, wait, unless, within } = step;
  const kinds = [to, destination, wait, unless].filter((kind) => kind !== undefined).length;
  if (kinds !== 1)
    return [
      { pointer, detail: "A step is one of to, destination, wait or unless; make several steps of it." },
    ];
  if ((unless === undefined) !== (within === undefined))
    return [{ pointer, detail: "unless and within go together: { unless: received, within: PT2M }." }];
  if (when !== undefined && to === undefined && destination === undefined)
    return [
      { pointer: `${pointer}/when`, detail: "when belongs to a step with to or destination; move it there." },
    ];
  if (wait !== undefined) return checkDuration(wait, `${pointer}/wait`, 10 * SECOND_MS, 7 * DAY_MS);
  if (within !== undefined) return checkDuration(within, `${pointer}/within`, 10 * SECOND_MS, 7 * DAY_MS);
  const channel = to ?? known.destinations.find(({ id }) => id === destination)?.channel;
  if (channel === undefined)
    return [
      {
        pointer: `${pointer}/destination`,
        detail: "You have no such destination; add it first, or take this step out.",
      },
    ];
  return when === undefined ? [] : checkCondition(when, `${pointer}/when`, channel);
}

function checkCondition(when: Condition, pointer: string, channel: string): RuleProblem[] {
  const { presence, idleUnder, idleFor } = when;
  const problems = [
    ...(idleUnder === undefined
      ? []
      : checkDuration(idleUnder, `${pointer}/idleUnder`, SECOND_MS, 7 * DAY_MS)),
    ...(idleFor === undefined ? [] : checkDuration(idleFor, `${pointer}/idleFor`, SECOND_MS, 7 * DAY_MS)),
  ];
  if (problems.length > 0) return problems;
  const isOfflineOnly = presence?.every((show) => show === "offline") ?? false;
  if (isOfflineOnly && channel === "im")
    return [
      {
        pointer: `${pointer}/presence`,
        detail: "Nobody who is offline can be reached by IM; name another presence, or another channel.",
      },
    ];
  if (isOfflineOnly && idleUnder !== undefined)
    return [
      {
        pointer: `${pointer}/idleUnder`,
        detail: "Nobody who is offline has just done something; take one of the two out.",
      },
    ];
  const never =
    idleUnder !== undefined &&
    idleFor !== undefined &&
    (durationMs(idleUnder) ?? 0) <= (durationMs(idleFor) ?? 0);
  return never
    ? [
        {
          pointer,
          detail: "Nobody is idle for longer than idleFor and for less than idleUnder; change one of them.",
        },
      ]
    : [];
}

/** Steps that can do nothing where they stand. */
function checkOrder(steps: readonly Step[], pointer: string): RuleProblem[] {
  const isGate = (step: Step | undefined) => step?.wait !== undefined || step?.unless !== undefined;
  if (steps.every(isGate))
    return [{ pointer, detail: "This ladder leads nowhere; add a step with to or destination." }];
  if (steps[0]?.unless !== undefined)
    return [
      {
        pointer: `${pointer}/0`,
        detail: "Nothing has been sent before the first step; begin with to or destination.",
      },
    ];
  if (isGate(steps.at(-1)))
    return [
      {
        pointer: `${pointer}/${steps.length - 1}`,
        detail: "After this step comes nothing; add where to go on, or take it out.",
      },
    ];
  return steps.flatMap((step, at) => checkRepeat(step, at, steps, pointer));
}

function checkRepeat(step: Step, at: number, steps: readonly Step[], pointer: string): RuleProblem[] {
  if (step.to === undefined && step.destination === undefined) return [];
  const isCovered = steps
    .slice(0, at)
    .some(
      ({ to, destination, when }) =>
        to === step.to && destination === step.destination && (when === undefined || same(when, step.when)),
    );
  if (!isCovered) return [];
  return [
    {
      pointer: `${pointer}/${at}`,
      detail: "An earlier step goes there already, so this one is never reached; take it out.",
    },
  ];
}

function same(a: Condition, b: Condition | undefined): boolean {
  return b !== undefined && JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered({ presence, idleUnder, idleFor }: Condition): unknown[] {
  return [presence?.toSorted() ?? null, idleUnder ?? null, idleFor ?? null];
}
