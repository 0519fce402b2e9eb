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
  for (const point of random.shuffled(CRASH_POINTS)) {
    const process = random.pick(stage.orders.passersOf(point));
    const hasDied = await diesAt(stage, { point, process, passes: random.whole(0, 2) }, async () => {
      await Promise.all([publish(cast.feeds, random, LOAD), cast.bob.history()]);
    });
    if (!hasDied) unreached.push({ invariant: "I1", what: `${process} was never seen to pass ${point}` });
    await stage.recovers();
  }
  return [...unreached, ...(await judge(stage, cast))];
}

interface Death {
  readonly point: CrashPoint;
  readonly process: string;
  readonly passes: number;
}

/** Orders the death and makes it happen; `load` is run until it has. Resolves to whether it has. */
async function diesAt(
  stage: Stage,
  { point, process, passes }: Death,
  load: () => Promise<void>,
): Promise<boolean> {
  const { orders } = stage;
  const before = orders.hits().get(point) ?? 0;
  orders.order(process, point, passes);
  const provocation = provocationOf(point);
  if (provocation === "stop") stage.stops(process);
  if (provocation === "kill") stage.kills(process);
  const over = new AbortController();
  const loading = repeatUntil(over.signal, load);
  try {
    await eventually(
      () => {
        if (orders.isWaiting(process, point)) throw new Error(`${process} has not passed ${point}`);
      },
      { withinMs: PASSED_WITHIN_MS },
    ).catch(() => orders.withdraw(process, point));
    return (orders.hits().get(point) ?? 0) > before;
  } finally {
    over.abort();
    await loading;
  }
}

async function repeatUntil(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  do await work();
  while (!signal.aborted);
}
