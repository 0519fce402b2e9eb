import { type HostLoad, MOST_HOSTS } from "@tidings/protocol";
import { expect, test } from "vitest";
import { FleetRecord } from "./fleet-record.ts";

const LOAD: HostLoad = {
  inc: "1",
  shards: [{ shard: 1, epoch: 1 }],
  awakeAvatars: 3,
  commitsPerSecond: 10.123_456,
  busy: 0.5,
  loopDelayMs: 12,
  residentBytes: 150_000_000,
  framesWaiting: 2,
  parkedStreams: 0,
  nextAlarmAt: null,
};
const T = Date.UTC(2026, 0, 1);

test("a second sample of the same time is none; sums and the worst are kept", () => {
  const record = new FleetRecord();
  for (let second = 0; second < 60; second++) record.add([LOAD, { ...LOAD, busy: 0.9 }], T + second * 1_000);
  expect(record.of("1h").map(({ at }) => (at - T) / 1_000)).toEqual([0, 15, 30, 45]);
  expect(record.of("1h")[0]).toEqual({
    at: T,
    hosts: 2,
    shards: 2,
    awakeAvatars: 6,
    commitsPerSecond: 20.247,
    busy: 0.9,
    loopDelayMs: 12,
    residentBytes: 300_000_000,
    framesWaiting: 4,
  });
  expect(record.of("24h")).toHaveLength(1);
});

test("after two weeks each range is full, fits into one item of the table, and is there again", () => {
  const record = new FleetRecord();
  const all = Array.from({ length: MOST_HOSTS }, () => LOAD);
  for (let at = T; at < T + 14 * 24 * 3_600_000; at += 15_000) record.add(all, at);
  expect([record.of("1h").length, record.of("24h").length, record.of("7d").length]).toEqual([240, 288, 336]);
  expect(record.text.length).toBeLessThan(350_000);
  for (let wanted = 0; wanted < 200; wanted++) record.decide({ at: T, wanted, reason: "the hosts are busy" });
  const again = FleetRecord.read(record.text);
  expect(again.decisions).toHaveLength(100);
  expect(again.decisions.at(-1)?.wanted).toBe(199);
  expect(again.of("7d")).toEqual(record.of("7d"));
});

test("a record that cannot be read, or none, begins anew", () => {
  for (const text of [null, "", "{", '{"1h":[1]}']) expect(FleetRecord.read(text).of("1h")).toEqual([]);
});
