/** An operator has a third host added and taken away again, time and again, while items flow and a program publishes. */
import { eventually } from "@tidings/testkit";
import { gather, judge, publish } from "../cast.ts";
import type { Violation } from "../invariants.ts";
import { Operators } from "../operators.ts";
import { Program } from "../program.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";

const CYCLES = 2;
const LONG_CYCLES = 20;
const ITEMS_PER_CYCLE = 400;
const CYCLE_MS = 40_000;
const POST_EVERY_MS = 150;
/** From the operator's word until all hosts have their shares (milliseconds). */
const SPREAD_WITHIN_MS = 30_000;

export const scaleCycles: Scenario = {
  name: "scale-cycles",
  sentence:
    "hosts come and go by an operator's word under load: shares within 30 s, no message later than 2 s",
  play: (stage, random) => play(stage, random, CYCLES),
  playLong: (stage, random) => play(stage, random, LONG_CYCLES),
};

async function play(stage: Stage, random: Random, cycles: number): Promise<Violation[]> {
  const cast = await gather(stage, 4);
  const program = await Program.open(stage);
  const violations = await stage.monitored(async () => {
    const operators = new Operators(stage);
    const isOver = new AbortController();
    const posting = program.posts(POST_EVERY_MS, isOver.signal);
    const load = { items: ITEMS_PER_CYCLE * cycles, lengthMs: CYCLE_MS * cycles };
    const publishing = publish(cast.feeds, random, load);
    const found = await scaleUpAndDown(stage, operators, cycles);
    isOver.abort();
    await Promise.all([posting, publishing]);
    return [...found, ...(await program.lateness()), ...(await operators.areToldTheTruth())];
  });
  await stage.recovers();
  return [...violations, ...(await judge(stage, cast))];
}

async function scaleUpAndDown(stage: Stage, operators: Operators, cycles: number): Promise<Violation[]> {
  const least = stage.hosts.length;
  const violations: Violation[] = [];
  for (let step = 0; step < cycles * 2; step++) {
    const wanted = step % 2 === 0 ? least + 1 : least;
    const beganMs = performance.now();
    await operators.scaleTo(wanted);
    await eventually(() => operators.seeSpread(wanted), { withinMs: SPREAD_WITHIN_MS * 2 });
    const tookMs = performance.now() - beganMs;
    const what = `${wanted} hosts had their shares after ${Math.round(tookMs)} ms`;
    if (tookMs > SPREAD_WITHIN_MS) violations.push({ invariant: "I1", what });
  }
  return violations;
}
