import { silentLog } from "@tidings/runtime";
import { MonitorRows } from "@tidings/store";
import { MemoryTable } from "@tidings/testkit";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { Leadership, RENEW_EVERY_MS } from "./leadership.ts";

let nowMs = 0;
let rows: MonitorRows;
beforeEach(() => {
  nowMs = 0;
  rows = new MonitorRows(new MemoryTable());
});

/** A monitor whose requests fail while `isCutOff`, and whose answers are lost while `isDeaf`. */
function monitor(name: string, clock = () => nowMs) {
  const line = { isCutOff: false, isDeaf: false };
  const over = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (line.isCutOff) throw new Error("no connection");
    const answer = await ask();
    if (line.isDeaf) throw new Error("no answer");
    return answer;
  };
  const leadership = new Leadership({
    rows: { leader: () => over(() => rows.leader()), lead: (...stamps) => over(() => rows.lead(...stamps)) },
    name,
    nowMs: clock,
    log: silentLog(),
  });
  return { line, leadership };
}

async function passes(seconds: number, ...all: Leadership[]): Promise<void> {
  for (let passed = 0; passed < seconds * 1_000; passed += RENEW_EVERY_MS) {
    nowMs += RENEW_EVERY_MS;
    for (const one of all) await one.look();
  }
}

test("the first one leads at once, and goes on; the second follows", async () => {
  const [one, two] = [monitor("one").leadership, monitor("two").leadership];
  await one.look();
  expect(one.leads).toBe(true);
  await passes(60, one, two);
  expect([one.leads, two.leads]).toEqual([true, false]);
});

test("when the leader is gone the other one leads within 14 s, and the one that comes back follows", async () => {
  const [one, two] = [monitor("one").leadership, monitor("two").leadership];
  await passes(4, one, two);
  await passes(14, two);
  expect([one.leads, two.leads]).toEqual([false, true]);
  await passes(20, one, two);
  expect([one.leads, two.leads]).toEqual([false, true]);
});

test("a leader whose renewals arrive while their answers are lost stops in time, and may lead again", async () => {
  const one = monitor("one");
  await passes(4, one.leadership);
  one.line.isDeaf = true;
  await passes(8, one.leadership);
  expect(one.leadership.leads).toBe(false);
  one.line.isDeaf = false;
  await passes(16, one.leadership);
  expect(one.leadership.leads).toBe(true);
});

test("in any order of looks, breaks and lost answers no two lead at a time", async () => {
  const step = fc.record({
    who: fc.nat(2),
    afterMs: fc.nat(4_000),
    isCutOff: fc.boolean(),
    isDeaf: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      [nowMs, rows] = [0, new MonitorRows(new MemoryTable())];
      const all = [0, 1, 2].map((at) => monitor(String(at), () => nowMs + at * 1_000_000));
      for (const { who, afterMs, isCutOff, isDeaf } of steps) {
        nowMs += afterMs;
        const one = all[who] as (typeof all)[number];
        Object.assign(one.line, { isCutOff: isCutOff && isDeaf, isDeaf: isDeaf && !isCutOff });
        await one.leadership.look();
        expect(all.filter(({ leadership }) => leadership.leads).length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
});
