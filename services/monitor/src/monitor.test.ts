import { type HostLoad, MOST_HOSTS } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { beforeEach, expect, test } from "vitest";
import { DriverError } from "./driver.ts";
import { FleetRecord } from "./fleet-record.ts";
import { MemoryDriver } from "./memory-driver.ts";
import { Monitor } from "./monitor.ts";

const LOAD: HostLoad = {
  inc: "1",
  shards: [],
  awakeAvatars: 1,
  commitsPerSecond: 0,
  busy: 0.5,
  loopDelayMs: 1,
  residentBytes: 1,
  framesWaiting: 0,
  parkedStreams: 0,
  nextAlarmAt: null,
};

let nowAt = 0;
let driver: MemoryDriver;
let kept: number[];
let mayAct = true;
beforeEach(() => {
  nowAt = Date.UTC(2026, 0, 1);
  driver = new MemoryDriver();
  kept = [];
  mayAct = true;
});

const BOUNDS = { least: 1, most: 4, busyFrom: 0.7, idleMs: 60_000 };

function openMonitor(first: number, bounds = BOUNDS): Monitor {
  return new Monitor({
    driver,
    bounds,
    first,
    log: silentLog(),
    now: () => nowAt,
    keep: async (least) => void kept.push(least),
    mayAct: () => mayAct,
    record: new FleetRecord(),
    onDecided: () => {},
  });
}

/** So many seconds go by, in each of which all hosts that run say that they live, but for `silent`. */
async function passes(monitor: Monitor, seconds: number, silent: readonly string[] = []): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    nowAt += 1_000;
    driver.goesOn();
    for (const { name, state } of driver.hosts)
      if (state === "running" && !silent.includes(name)) monitor.hears(name, LOAD);
    await monitor.look();
  }
}

const names = () => driver.hosts.map(({ name }) => name);

test("as many hosts run as are wanted, started one at a time under the lowest names that are free", async () => {
  const monitor = openMonitor(3);
  await passes(monitor, 10);
  expect(names()).toEqual(["h1", "h2", "h3"]);
  expect(driver.mostAtOnce).toBe(1);
  expect(monitor.view).toMatchObject({
    wanted: 3,
    problem: null,
    hosts: [{ id: "h1", state: "serving" }, {}, {}],
  });
});

test("an operator's number counts at once, is kept, and is refused where it cannot be", async () => {
  const monitor = openMonitor(1);
  await passes(monitor, 3);
  await monitor.scaleTo(5);
  await passes(monitor, 20);
  expect(names()).toEqual(["h1", "h2", "h3", "h4", "h5"]);
  await monitor.scaleTo(2);
  await passes(monitor, 20);
  expect(names()).toEqual(["h1", "h2"]);
  expect(kept).toEqual([5, 2]);
  for (const count of [-1, 0, MOST_HOSTS + 1])
    await expect(monitor.scaleTo(count)).rejects.toThrow("There can be 1 to 16");
});

test("the host that is drained goes, whichever it is; not the last one, not two at a time, and no stranger", async () => {
  const monitor = openMonitor(3);
  await passes(monitor, 10);
  await monitor.drain("h1");
  await monitor.drain("h1");
  expect(monitor.view.wanted).toBe(2);
  await expect(monitor.drain("h2")).rejects.toThrow("h1 is being drained");
  await passes(monitor, 10);
  expect(names()).toEqual(["h2", "h3"]);
  await expect(monitor.drain("h1")).rejects.toThrow("No host that serves is called h1");
  await monitor.drain("h3");
  await passes(monitor, 10);
  await expect(monitor.drain("h2")).rejects.toThrow("is the only host that serves");
  expect(monitor.view).toMatchObject({ wanted: 1, least: 1 });
});

test("a host that ends is started again under its name, and one that runs and says nothing is replaced", async () => {
  const monitor = openMonitor(2);
  await passes(monitor, 5);
  driver.dies("h1");
  await passes(monitor, 5);
  expect(names()).toEqual(["h1", "h2"]);
  await passes(monitor, 60, ["h2"]);
  expect(monitor.view.decisions.map(({ reason }) => reason)).toContain(
    "h2 runs and says nothing; another one takes its place",
  );
  await passes(monitor, 5);
  expect(monitor.view.hosts).toMatchObject([
    { id: "h1", state: "serving" },
    { id: "h2", state: "serving" },
  ]);
});

test("when nobody is heard the bus is away, and nobody is replaced", async () => {
  const monitor = openMonitor(2);
  await passes(monitor, 5);
  await passes(monitor, 120, ["h1", "h2"]);
  expect(driver.stops).toBe(0);
  expect(monitor.view.hosts).toMatchObject([{ state: "silent" }, { state: "silent" }]);
});

test("a driver that fails is said, asked again, and nothing is done twice", async () => {
  const monitor = openMonitor(2);
  driver.fails(new DriverError("no room on this machine"));
  await passes(monitor, 5);
  expect(monitor.view).toMatchObject({ problem: "no room on this machine", wanted: 2 });
  driver.fails(null);
  await passes(monitor, 5);
  expect(monitor.view.problem).toBeNull();
  expect(driver.starts).toBe(2);
});

test("a storm of wakes to no host at all starts one host", async () => {
  const monitor = openMonitor(1, { ...BOUNDS, least: 0, most: 2, idleMs: 5_000 });
  await passes(monitor, 3);
  for (let second = 0; second < 30; second++) {
    nowAt += 1_000;
    driver.goesOn();
    for (const name of names()) monitor.hears(name, { ...LOAD, busy: 0, awakeAvatars: 0 });
    await monitor.look();
  }
  expect(names()).toEqual([]);
  for (let wake = 0; wake < 1_000; wake++) monitor.isWoken();
  await passes(monitor, 5);
  expect(names()).toEqual(["h1"]);
});

test("one that may not act decides, and starts and stops nothing", async () => {
  mayAct = false;
  const monitor = openMonitor(2);
  await passes(monitor, 10);
  expect(names()).toEqual([]);
  mayAct = true;
  await passes(monitor, 10);
  expect(names()).toEqual(["h1", "h2"]);
});

test("a word that cannot be kept does not count", async () => {
  const monitor = new Monitor({
    driver,
    bounds: BOUNDS,
    first: 2,
    log: silentLog(),
    now: () => nowAt,
    keep: () => Promise.reject(new Error("the table is away")),
    mayAct: () => true,
    record: new FleetRecord(),
    onDecided: () => {},
  });
  await passes(monitor, 10);
  await expect(monitor.scaleTo(4)).rejects.toThrow("away");
  await expect(monitor.drain("h2")).rejects.toThrow("away");
  await expect(monitor.drain("h2")).rejects.toThrow("away");
  await passes(monitor, 60);
  expect(names()).toEqual(["h1", "h2"]);
});

test("a host that has just begun to run has time to say something", async () => {
  const monitor = openMonitor(1);
  await passes(monitor, 100);
  await monitor.scaleTo(2);
  await passes(monitor, 20, ["h2"]);
  expect(driver.stops).toBe(0);
  await passes(monitor, 40, ["h2"]);
  expect(driver.stops).toBe(1);
});

test("without a driver hosts are watched, and whoever asks for another number is told who starts them", async () => {
  const monitor = new Monitor({
    driver: null,
    bounds: BOUNDS,
    first: 2,
    log: silentLog(),
    now: () => nowAt,
    keep: async () => {},
    mayAct: () => true,
    record: new FleetRecord(),
    onDecided: () => expect.fail("nothing is to be decided"),
  });
  monitor.hears("h7", LOAD);
  await monitor.look();
  expect(monitor.view).toMatchObject({
    wanted: 1,
    least: 1,
    most: 1,
    problem: null,
    hosts: [{ id: "h7", state: "serving" }],
  });
  await expect(monitor.scaleTo(3)).rejects.toThrow("does not start hosts here");
  await expect(monitor.drain("h7")).rejects.toThrow("does not start hosts here");
});
