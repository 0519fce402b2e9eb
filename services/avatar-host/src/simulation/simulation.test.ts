import { expect, test } from "vitest";
import type { Flaw } from "./simulated-shard.ts";
import { type Setting, World } from "./world.ts";

const SETTING: Setting = { shards: 3, hosts: 3, troubleMs: 40_000, flaw: null };
const SCHEDULES = 3_000;

interface Outcome {
  readonly failedSeed: number | null;
  readonly schedules: number;
  readonly steps: number;
}

/** Plays schedules from `firstSeed` on until one fails; what failed can be played again with its seed. */
function play(setting: Setting, firstSeed: number, schedules: number): Outcome {
  let steps = 0;
  for (let at = 0; at < schedules; at++) {
    const world = new World(firstSeed + at, setting);
    world.play();
    steps += world.agenda.steps;
    if (world.violations.length > 0) return { failedSeed: firstSeed + at, schedules: at + 1, steps };
  }
  return { failedSeed: null, schedules, steps };
}

test(`in ${SCHEDULES} schedules of crashes, takeovers, zombies and a bad bus every event is heard once and in order`, (context) => {
  const firstSeed = Number(process.env.TIDINGS_SIMULATION_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const startedAt = performance.now();
  const { failedSeed, schedules, steps } = play(SETTING, firstSeed, SCHEDULES);
  const seconds = (performance.now() - startedAt) / 1_000;
  const rate = `${Math.round(schedules / seconds)} schedules/s, ${Math.round(steps / seconds)} steps/s`;
  context.annotate(`seeds from ${firstSeed}: ${schedules} schedules, ${steps} steps, ${rate}`);
  console.info(rate);
  expect(failedSeed, "a schedule failed; play it again with TIDINGS_SIMULATION_SEED").toBeNull();
}, 60_000);

const FLAWS: readonly Flaw[] = [
  "inbox accepts a gap",
  "inbox acknowledges before it is durable",
  "inbox applies what it has applied before",
  "outbox forgets before the acknowledgement",
  "outbox sends before it is durable",
  "journal takes writes of a deposed owner",
  "router carries what a deposed owner says",
];

test.each(FLAWS)("is noticed: %s", (flaw) => {
  const { failedSeed } = play({ ...SETTING, flaw }, 1, 500);
  expect(failedSeed).not.toBeNull();
});

test("a seed plays the same schedule again", () => {
  const [first, again] = [new World(7, SETTING), new World(7, SETTING)];
  first.play();
  again.play();
  expect(again.agenda.steps).toBe(first.agenda.steps);
  expect(again.logs.map(({ heard }) => heard)).toEqual(first.logs.map(({ heard }) => heard));
});

test("the schedules hold what they are about: events, takeovers, and deposed owners that still speak", () => {
  const worlds = Array.from({ length: 100 }, (_, seed) => new World(seed, SETTING));
  for (const world of worlds) world.play();
  const sum = (figure: (world: World) => number) => worlds.reduce((total, world) => total + figure(world), 0);
  expect(sum(({ logs }) => logs.reduce((total, { told }) => total + told.length, 0))).toBeGreaterThan(2_000);
  expect(sum(({ takeovers }) => takeovers)).toBeGreaterThan(600);
  expect(sum(({ deposedStanzas }) => deposedStanzas)).toBeGreaterThan(2);
});
