/** Ten thousand items while everything is killed: the processes at random moments and at ordered crash points. */
import { setTimeout as pause } from "node:timers/promises";
import { CRASH_POINTS } from "@tidings/runtime";
import { gather, judge, type Load, publish } from "../cast.ts";
import { type Planned, planChaos } from "../chaos.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

/** Things go wrong for as long as items are published. */
export interface Extent extends Load {
  readonly feeds: number;
  /** Crash points that are ordered in one seed. */
  readonly points: number;
}

const WHOLE: Extent = { feeds: 10, items: 10_000, lengthMs: 8_000, points: 4 };
const FEW: Extent = { feeds: 3, items: 600, lengthMs: 5_000, points: 2 };
export const randomKills: Scenario = {
  name: "random-kills",
  sentence: "10,000 items while everything is killed at random: nothing lost, nothing doubled, all in order",
  play: (stage, random) => playRandomKills(stage, random, WHOLE),
};

/** The same in a sixteenth of the size, for `npm test`. */
export const fewRandomKills: Scenario = {
  name: "few-random-kills",
  sentence: "600 items while everything is killed at random: nothing lost, nothing doubled, all in order",
  play: (stage, random) => playRandomKills(stage, random, FEW),
};

/** Plays the scenario to the `extent`. */
async function playRandomKills(stage: Stage, random: Random, extent: Extent): Promise<Violation[]> {
  const cast = await gather(stage, extent.feeds);
  const plan = planChaos(random, {
    hosts: stage.hosts,
    points: random.shuffled(CRASH_POINTS).slice(0, extent.points),
    passersOf: (point) => stage.orders.passersOf(point),
    lengthMs: extent.lengthMs,
  });
  await Promise.all([
    publish(cast.feeds, random, extent),
    comeAndGo(cast.carol, random, extent.lengthMs),
    ...plan.map((mishap) => carryOut(stage, mishap)),
  ]);
  await stage.recovers();
  withdrawAll(stage, plan);
  return judge(stage, cast);
}

async function comeAndGo(carol: Subscriber, random: Random, lengthMs: number): Promise<void> {
  await pause(random.whole(0, lengthMs / 2));
  await carol.client.goesOffline();
  await pause(random.whole(0, lengthMs / 2));
  await carol.client.comesOnline();
}

async function carryOut(stage: Stage, mishap: Planned): Promise<void> {
  await pause(mishap.afterMs);
  switch (mishap.kind) {
    case "kill":
      return stage.kills(mishap.process);
    case "stop":
      return stage.stops(mishap.process);
    case "restartNode":
      return stage.restartsNode(mishap.role);
    case "crash":
      return stage.orders.order(mishap.process, mishap.point, mishap.passes);
  }
}

/** What was not reached in this seed must not strike in the next, which is another one's play. */
function withdrawAll(stage: Stage, plan: readonly Planned[]): void {
  for (const mishap of plan) if (mishap.kind === "crash") stage.orders.withdraw(mishap.process, mishap.point);
}
