import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bounds, beginScaling, type HostSample, type Scaling, scale } from "./scaling.ts";

const BOUNDS: Bounds = { least: 1, most: 4, busyFrom: 0.7, idleMs: 60_000 };
/** Three seconds, and a little: a timer is never early, and seldom exact. */
const STEP_MS = 3_001;

const at = (busy: number, rest: Partial<HostSample> = {}): HostSample => ({
  busy,
  awakeAvatars: 10,
  framesWaiting: 0,
  nextAlarmAt: null,
  ...rest,
});

interface Moment {
  readonly atMs: number;
  readonly wanted: number;
  readonly reason: string | null;
}

/**
 * The number of hosts over `seconds`, one look each three seconds. `load` is the work that there is at each time, in hosts that
 * are busy all the time; hosts come and go two looks after they are wanted.
 */
function simulate(load: (second: number) => number, seconds: number, bounds = BOUNDS, first = 1): Moment[] {
  let scaling: Scaling = beginScaling(first, 0);
  const wanted: number[] = [first, first];
  const moments: Moment[] = [];
  for (let atMs = 0; atMs <= seconds * 1_000; atMs += STEP_MS) {
    const running = wanted.at(-2) ?? first;
    const busy = Math.min(1, load(atMs / 1_000) / Math.max(1, running));
    const hosts = Array.from({ length: running }, () => at(busy));
    const step = scale(scaling, { hosts, isWoken: false, nowAt: atMs }, bounds);
    scaling = step.scaling;
    wanted.push(scaling.wanted);
    moments.push({ atMs, wanted: scaling.wanted, reason: step.reason });
  }
  return moments;
}

const numbers = (moments: readonly Moment[]) =>
  moments.filter(({ reason }) => reason !== null).map(({ wanted }) => wanted);

test("load that doubles has a host added within half a minute, and load that goes has it taken away again", () => {
  const moments = simulate((second) => (second < 60 ? 0.5 : second < 180 ? 1 : 0.2), 400);
  const [added, taken] = moments.filter(({ reason }) => reason !== null);
  expect(added).toMatchObject({ wanted: 2, reason: "1 are busy 100 % of the time" });
  expect((added?.atMs ?? 0) - 60_000).toBeLessThan(30_000);
  expect(taken).toMatchObject({ wanted: 1 });
  // The mean of a minute that began with all of the load.
  expect(Math.abs((taken?.atMs ?? 0) - 180_000 - 45_000)).toBeLessThan(2 * STEP_MS);
  expect(numbers(moments)).toEqual([2, 1]);
});

test("a peak of a few seconds changes nothing, nor does load that sways around what the hosts can do", () => {
  expect(numbers(simulate((second) => (second % 30 < 5 ? 1 : 0.2), 600))).toEqual([]);
  expect(numbers(simulate((second) => 1.2 + 0.15 * Math.sin(second / 20), 1_200, BOUNDS, 2))).toEqual([]);
});

test("a moment of rest under load, and a moment of work without any, delay nothing", () => {
  const restless = (second: number) => (second % 15 === 0 ? 0.1 : 0.95);
  const [added] = simulate(restless, 60).filter(({ reason }) => reason !== null);
  expect(added).toMatchObject({ wanted: 2 });
  expect(added?.atMs).toBeLessThan(20_000);
  const idle = (second: number) => (second % 30 === 0 ? 1.6 : 0.05);
  const [taken] = simulate(idle, 120, BOUNDS, 2).filter(({ reason }) => reason !== null);
  expect(taken).toMatchObject({ wanted: 1 });
  expect(taken?.atMs).toBeLessThan(80_000);
});

test("a day's load, as a wave, is followed one step at a time", () => {
  const moments = simulate((second) => 1.4 - 1.2 * Math.cos((2 * Math.PI * second) / 3_600), 3_600);
  const steps = numbers(moments);
  expect(steps).toEqual([2, 3, 4, 3, 2, 1]);
});

test("whatever the load is, the number stays within its bounds, goes by one, and settles between steps", () => {
  const loads = fc.array(fc.double({ min: 0, max: 8, noNaN: true }), { minLength: 20, maxLength: 200 });
  fc.assert(
    fc.property(loads, (curve) => {
      const moments = simulate((second) => curve[Math.floor(second / 3)] ?? 0, curve.length * 3);
      const changes = moments.filter(({ reason }) => reason !== null);
      for (const { wanted } of moments) expect(wanted >= BOUNDS.least && wanted <= BOUNDS.most).toBe(true);
      let before = { wanted: 1, atMs: -15_000 };
      for (const change of changes) {
        expect(Math.abs(change.wanted - before.wanted)).toBe(1);
        expect(change.atMs - before.atMs).toBeGreaterThanOrEqual(15_000);
        before = change;
      }
    }),
  );
});

const asleep = at(0.01, { awakeAvatars: 0, nextAlarmAt: 3_600_000 });
const NONE = { ...BOUNDS, least: 0 };

/** Looks each second until `untilMs` or until the number has changed. */
function look(
  scaling: Scaling,
  hosts: readonly HostSample[],
  { from, until, isWoken = false }: { from: number; until: number; isWoken?: boolean },
) {
  let step = scale(scaling, { hosts, isWoken, nowAt: from }, NONE);
  for (let nowAt = from; nowAt <= until && step.reason === null; nowAt += 1_000)
    step = scale(step.scaling, { hosts, isWoken, nowAt }, NONE);
  return step;
}

test("with nothing awake for the time that is set the last host goes; a wake or an alarm brings it back", () => {
  const gone = look(beginScaling(1, 0), [asleep], { from: 0, until: 120_000 });
  expect(gone).toMatchObject({ scaling: { wanted: 0, changedAt: 60_000 } });
  expect(look(gone.scaling, [], { from: 61_000, until: 3_590_000 }).reason).toBeNull();
  expect(look(gone.scaling, [], { from: 61_000, until: 62_000, isWoken: true })).toMatchObject({
    scaling: { wanted: 1 },
    reason: "something waits, and no host runs",
  });
  const due = look(gone.scaling, [], { from: 61_000, until: 3_700_000 });
  expect(due).toMatchObject({ reason: "an alarm is due, and no host runs" });
  expect(due.scaling.changedAt).toBeLessThanOrEqual(3_600_000);
});

test.each([
  ["somebody is awake", at(0.01)],
  ["frames wait", { ...asleep, framesWaiting: 1 }],
  ["an alarm is due soon", { ...asleep, nextAlarmAt: 30_000 }],
])("the last host stays while %s", (_why, host) => {
  expect(look(beginScaling(1, 0), [host], { from: 0, until: 119_000 }).reason).toBeNull();
});

test("what a step costs the hosts itself, as shards move and avatars wake, does not undo it", () => {
  let scaling = beginScaling(2, 0);
  const reasons: (string | null)[] = [];
  const seen = (second: number, hosts: readonly HostSample[]) => {
    const step = scale(scaling, { hosts, isWoken: false, nowAt: second * 1_000 }, BOUNDS);
    scaling = step.scaling;
    reasons.push(step.reason);
  };
  let second = 0;
  while (reasons.every((reason) => reason === null)) seen(++second, [at(0.1), at(0.1)]);
  expect(scaling.wanted).toBe(1);
  for (let passed = 1; passed <= 5; passed++) seen(second + passed, [at(0.5), at(0.5)]);
  for (let passed = 6; passed <= 60; passed++) seen(second + passed, [at(passed < 18 ? 0.9 : 0.3)]);
  expect(reasons.slice(second)).toEqual(Array.from({ length: 60 }, () => null));
});

test("hosts that are not there yet are waited for before the next step", () => {
  const asked = scale(beginScaling(3, 0), { hosts: [at(1)], isWoken: false, nowAt: 60_000 }, BOUNDS);
  expect(scale(asked.scaling, { hosts: [at(1)], isWoken: false, nowAt: 90_000 }, BOUNDS).reason).toBeNull();
});
