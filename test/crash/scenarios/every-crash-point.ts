/** Every named place in the code, one after the other, while items flow: a process dies there, and nothing comes of it. */
import { CRASH_POINTS, type CrashPoint } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { gather, judge, publish } from "../cast.ts";
import { provocationOf } from "../crash-plan.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";

const FEEDS = 4;
/** While a point is waited for so many items come, again and again. */
const LOAD = { items: 100, lengthMs: 1_500 };
/** A point that is not passed in this time is not passed at all (milliseconds). */
const PASSED_WITHIN_MS = 60_000;

export const everyCrashPoint: Scenario = {
  name: "every-crash-point",
  sentence: "a process dies at each crash point in turn, while items flow",
  play,
};

async function play(stage: Stage, random: Random): Promise<Violation[]> {
  const cast = await gather(stage, FEEDS);
  const unreached: Violation[] = [];
  const load = async () => {
    await Promise.all([publish(cast.feeds, random, LOAD), cast.bob.history()]);
  };
  for (const point of random.shuffled(CRASH_POINTS)) {
    if (!(await diesAt(stage, random, point, load)))
      unreached.push({ invariant: "I1", what: `no process was seen to pass ${point}` });
    await stage.recovers();
  }
  return [...unreached, ...(await judge(stage, cast))];
}

/** Orders a death at `point` and makes it happen; `load` is repeated until it has. Resolves to whether it has. */
async function diesAt(
  stage: Stage,
  random: Random,
  point: CrashPoint,
  load: () => Promise<void>,
): Promise<boolean> {
  const { orders } = stage;
  const before = orders.hits().get(point) ?? 0;
  const ordered = orderAt(stage, random, point);
  const over = new AbortController();
  const loading = repeatUntil(over.signal, load);
  try {
    await eventually(
      () => {
        if (ordered.every((process) => orders.isWaiting(process, point)))
          throw new Error(`nobody has passed ${point}`);
      },
      { withinMs: PASSED_WITHIN_MS },
    ).catch(() => null);
    for (const process of ordered) orders.withdraw(process, point);
    return (orders.hits().get(point) ?? 0) > before;
  } finally {
    over.abort();
    await loading;
  }
}

/** The order goes to all that may pass the point under load, since not all do; a point that needs more goes to one of them. */
function orderAt(stage: Stage, random: Random, point: CrashPoint): readonly string[] {
  const passers = stage.orders.passersOf(point);
  const provocation = provocationOf(point);
  const ordered = provocation === null ? passers : [random.pick(passers)];
  const passes = random.whole(0, 2);
  for (const process of ordered) {
    stage.orders.order(process, point, passes);
    if (provocation === "stop") stage.stops(process);
    if (provocation === "kill") stage.kills(process);
  }
  return ordered;
}

async function repeatUntil(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  do await work();
  while (!signal.aborted);
}
