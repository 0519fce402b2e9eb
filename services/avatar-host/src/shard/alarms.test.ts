import type { Row } from "@tidings/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import { Alarms } from "./alarms.ts";

let rows: MemoryRows;
let alarms: Alarms;
let rung: { avatar: string; row: Row }[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  rows = new MemoryRows();
  rung = [];
  alarms = new Alarms("_17", rows, (avatar, row) => rung.push({ avatar, row }));
});
afterEach(() => {
  alarms.close();
  vi.useRealTimers();
});

function sets(avatar: string, to: number | null, from: number | null = null): void {
  rows.apply(alarms.rows(avatar, { from, to }));
  alarms.schedule(to ?? undefined);
}

/** Gives each avatar that was rung its turn, which removes the alarm. */
function answers(): string[] {
  const answered = rung.splice(0);
  for (const { avatar, row } of answered) {
    rows.apply([row]);
    alarms.answered(avatar);
  }
  return answered.map(({ avatar }) => avatar);
}

test("alarms ring in the order of their time, not before it", () => {
  sets("late", Date.now() + 300_000);
  sets("soon", Date.now() + 100_000);
  vi.advanceTimersByTime(99_999);
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(answers()).toEqual(["soon"]);
  vi.advanceTimersByTime(200_000);
  expect(answers()).toEqual(["late"]);
});

test("an alarm that was moved or taken away does not ring at its old time", () => {
  const at = Date.now() + 1_000;
  sets("moved", at);
  sets("moved", at + 5_000, at);
  sets("gone", at);
  sets("gone", null, at);
  vi.advanceTimersByTime(5_999);
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(answers()).toEqual(["moved"]);
});

test("an avatar that takes long to wake is rung once", () => {
  sets("sleeper", Date.now());
  vi.advanceTimersByTime(60_000);
  expect(rung).toHaveLength(1);
  answers();
  sets("sleeper", Date.now());
  vi.advanceTimersByTime(1_000);
  expect(rung).toHaveLength(1);
});

test("what was due while nobody owned the shard rings when it is served", () => {
  sets("overdue", Date.now() - 1);
  alarms.close();
  const next = new Alarms("_17", rows, (avatar, row) => rung.push({ avatar, row }));
  next.schedule();
  vi.advanceTimersByTime(0);
  expect(answers()).toEqual(["overdue"]);
  next.close();
});

test("many alarms at one time all ring", () => {
  for (let n = 0; n < 250; n++) sets(`u${n}`, Date.now() + 10);
  const all = new Set<string>();
  for (let round = 0; round < 10; round++) {
    vi.advanceTimersByTime(50);
    for (const avatar of answers()) all.add(avatar);
  }
  expect(all.size).toBe(250);
});

test.each([3_600_000, -3_600_000])(
  "a clock that is set by %i ms loses no alarm and rings none twice",
  (jumpMs) => {
    vi.setSystemTime(1_800_000_000_000);
    sets("soon", Date.now() + 30_000);
    sets("later", Date.now() + 1_800_000);
    vi.advanceTimersByTime(30_000);
    expect(answers()).toEqual(["soon"]);
    vi.setSystemTime(Date.now() + jumpMs);
    sets("new", Date.now() + 1_000);
    const rang: string[] = [];
    for (let minute = 0; minute < 120; minute++) {
      vi.advanceTimersByTime(60_000);
      rang.push(...answers());
    }
    expect([...rang].sort()).toEqual(["later", "new"]);
  },
);
