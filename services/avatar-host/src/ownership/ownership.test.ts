import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SHARDS } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { Leases, TableRefusedError } from "@tidings/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../../../../packages/testkit/src/eventually.ts";
import { MemoryTable } from "../../../../packages/testkit/src/memory-table.ts";
import { HostNameTakenError, lockFolder } from "./host-name.ts";
import { Ownership } from "./ownership.ts";

let table = new MemoryTable();
const running: Player[] = [];
const log = silentLog();

beforeEach(() => {
  table = new MemoryTable();
});
afterEach(async () => {
  for (const player of running.splice(0)) await player.ownership.stop();
});

interface Player {
  readonly host: string;
  readonly ownership: Ownership;
  readonly steps: string[];
  readonly onEnd: (reason: string) => void;
  /** Steps that fail. */
  readonly failing: Set<string>;
  /** Shards that something waits for. */
  readonly awaited: Set<number>;
  /** How far this host's clocks are set forward (milliseconds). */
  aheadMs: number;
  wallAheadMs: number;
}

/** A host whose steps succeed at once; when it gives a shard back it tells the others, as hosts do. */
function player(host: string, place = host): Player {
  const [failing, awaited] = [new Set<string>(), new Set<number>()];
  const made = { steps: [] as string[], failing, awaited, aheadMs: 0, wallAheadMs: 0 };
  const onEnd = vi.fn();
  const ownership = new Ownership({
    leases: new Leases(table, "s1"),
    host,
    place,
    log,
    perform: async (step, shard, epoch) => {
      made.steps.push(`${step} ${shard}`);
      moves.push({ host, step, shard, epoch, at: performance.now() });
      if (step === "unclaim") tellFree(host, shard, ownership.promisedTo(shard));
      if (made.failing.has(step)) throw new Error(`${step} does not work`);
    },
    onEnd,
    floor: () => 0,
    awaited: async () => made.awaited,
    probe: () => {
      made.steps.push("probe");
      if (made.failing.has("probe")) throw new Error("no room");
    },
    clocks: {
      monotonicMs: () => performance.now() + made.aheadMs,
      wallMs: () => Date.now() + made.aheadMs + made.wallAheadMs,
    },
  });
  const whole = Object.assign(made, { host, ownership, onEnd });
  running.push(whole);
  return whole;
}

/** As the host does it with `<free/>`: who is not meant does not look. The giver of a named shard happens to look before its heir. */
function tellFree(by: string, shard: number, heir: string | null): void {
  if (heir !== null) running.find(({ host }) => host === by)?.ownership.look();
  for (const { host, ownership } of running) {
    if (host !== by && (heir === null || heir === host)) ownership.look(heir === null ? null : shard);
  }
}

let moves: { host: string; step: string; shard: number; epoch: number; at: number }[] = [];
beforeEach(() => {
  moves = [];
});

test("a shard that is given back is served again in less than a second, each step in its order", async () => {
  const first = player("h1");
  await first.ownership.start();
  expect(first.ownership.owned.size).toBe(SHARDS);
  const second = player("h2");
  await second.ownership.start();

  await eventually(() => {
    expect(first.ownership.owned.size).toBe(SHARDS / 2);
    expect(second.ownership.owned.size).toBe(SHARDS / 2);
  });

  const gone = moves.filter(({ host, step }) => host === "h1" && step === "pause");
  const unservedMs = gone.map(({ shard, at }) => {
    const ready = moves.find((move) => move.host === "h2" && move.step === "ready" && move.shard === shard);
    return (ready?.at ?? Number.POSITIVE_INFINITY) - at;
  });
  expect(Math.max(...unservedMs)).toBeLessThan(1_000);
  const shard = gone[0]?.shard ?? -1;
  const steps = first.steps.filter((step) => step.endsWith(` ${shard}`)).map((step) => step.split(" ")[0]);
  expect(steps).toEqual(["open", "claim", "ready", "checkpoint", "pause", "drain", "seal", "unclaim"]);
});

test("a shard that is given to a host by name goes there at once, though it has its share, and another comes back", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size + second.ownership.owned.size).toBe(SHARDS));
  const shard = [...first.ownership.owned.keys()][0] ?? -1;
  const askedAt = performance.now();
  await first.ownership.handOver(shard, "h2");

  await eventually(() => expect(second.ownership.owned.has(shard)).toBe(true));
  const ready = moves.findLast((move) => move.step === "ready" && move.shard === shard);
  expect(ready?.host).toBe("h2");
  expect((ready?.at ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(500);
  await eventually(() => {
    expect(first.ownership.owned.size).toBe(SHARDS / 2);
    expect(second.ownership.owned.has(shard)).toBe(true);
  });
});

test("the time for which a given shard is left to its heir begins when it is free, however long that takes", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size + second.ownership.owned.size).toBe(SHARDS));
  const shard = [...first.ownership.owned.keys()][0] ?? -1;
  const given = first.ownership.handOver(shard, "h2");
  first.aheadMs += 7_000;
  expect(first.ownership.promisedTo(shard)).toBe("h2");
  await given;
  await eventually(() => expect(second.ownership.owned.has(shard)).toBe(true));
  expect(moves.findLast((move) => move.step === "ready" && move.shard === shard)?.host).toBe("h2");
});

test("a host that stops gives a few shards at a time, which the other takes meanwhile", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size).toBe(SHARDS / 2));
  await eventually(() => expect(second.ownership.owned.size).toBe(SHARDS / 2));
  const begun = moves.length;
  await first.ownership.stop();
  await eventually(() => expect(second.ownership.owned.size).toBe(SHARDS));
  const away = new Set<number>();
  let mostAway = 0;
  for (const { host, step, shard } of moves.slice(begun)) {
    if (host === "h1" && step === "pause") away.add(shard);
    if (host === "h2" && step === "ready") away.delete(shard);
    mostAway = Math.max(mostAway, away.size);
  }
  expect(mostAway).toBeLessThanOrEqual(12);
});

/** The first `times` tries to clear the lease of each shard fail. Returns how often that has happened. */
function failClears(times: number): () => number {
  const replaceIf = table.replaceIf.bind(table);
  const tries = new Map<string, number>();
  let failures = 0;
  table.replaceIf = async (...args) => {
    const isClear = args[0] === "S#s1" && args[4].host === undefined;
    const before = tries.get(args[1]) ?? 0;
    if (isClear) tries.set(args[1], before + 1);
    if (!isClear || before >= times) return replaceIf(...args);
    failures++;
    throw new Error("socket hang up");
  };
  return () => failures;
}

test("a shard whose lease could not be cleared at the first try is free at once", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size + second.ownership.owned.size).toBe(SHARDS));
  const shard = [...first.ownership.owned.keys()][0] ?? -1;
  const failures = failClears(1);
  const askedAt = performance.now();
  await first.ownership.handOver(shard, "h2");
  await eventually(() => expect(second.ownership.owned.has(shard)).toBe(true));
  expect(failures()).toBeGreaterThan(0);
  const ready = moves.findLast((move) => move.step === "ready" && move.shard === shard);
  expect((ready?.at ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(500);
});

test("a shard whose lease could not be cleared when it was given back is free for others a round later", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await first.ownership.start();
  await eventually(() => expect(first.ownership.owned.size).toBe(SHARDS));
  const failures = failClears(2);
  await second.ownership.start();
  await eventually(() => {
    expect(failures()).toBeGreaterThan(0);
    expect([first.ownership.owned.size, second.ownership.owned.size]).toEqual([SHARDS / 2, SHARDS / 2]);
  });
});

test("a shard cannot be given to a host that does not live, nor by one that does not serve it", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await first.ownership.start();
  await expect(first.ownership.handOver(3, "h9")).rejects.toThrow(/no other host named h9 lives/);
  await expect(second.ownership.handOver(3, "h1")).rejects.toThrow(/h2 does not serve shard 3/);
  expect(first.ownership.owned.has(3)).toBe(true);
});

test("a look that is asked for while a round is under way is a round of its own", async () => {
  const host = player("h1");
  await host.ownership.start();
  const query = table.query.bind(table);
  let isSlow = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  let rounds = 0;
  table.query = async function* (...args) {
    if (args[0] === "S#s1") rounds++;
    if (isSlow) await promise;
    yield* query(...args);
  };
  host.ownership.look();
  await eventually(() => expect(rounds).toBe(1));
  host.ownership.look();
  isSlow = false;
  const goneOnAt = performance.now();
  resolve();
  await eventually(() => expect(rounds).toBe(2));
  expect(performance.now() - goneOnAt).toBeLessThan(500);
});

test("a shard that could not be drained is abandoned, and free for another host all the same", async () => {
  const host = player("h1");
  await host.ownership.start();
  host.failing.add("drain");
  await host.ownership.stop();

  expect(host.steps).toContain("abandon 0");
  expect(host.steps).not.toContain("seal 0");
  const leases = await new Leases(table, "s1").leases();
  expect(leases.every(({ owner }) => owner === null)).toBe(true);
});

test("a host whose claims are refused gives its leases back and tries again later, not at once", async () => {
  const host = player("h1");
  host.failing.add("claim");
  await host.ownership.start();

  expect(host.ownership.owned.size).toBe(0);
  expect(host.steps.filter((step) => step.startsWith("claim")).length).toBeLessThanOrEqual(16);
  expect((await new Leases(table, "s1").leases()).every(({ owner }) => owner === null)).toBe(true);
});

test("a host that is cut from the bus alone hands its shards over, and has its share again when it is back", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await first.ownership.start();
  await second.ownership.start();
  await eventually(() => expect(second.ownership.owned.size).toBe(SHARDS / 2));

  first.ownership.noteBus(false);
  first.aheadMs += 11_000;
  second.aheadMs += 11_000;
  await eventually(() => expect(second.ownership.owned.size).toBe(SHARDS));
  expect(first.ownership.owned.size).toBe(0);
  expect(first.steps).toContain("seal 0");
  expect(first.steps).not.toContain("abandon 0");

  first.ownership.noteBus(true);
  await eventually(() => expect(first.ownership.owned.size).toBe(SHARDS / 2));
}, 20_000);

test("a host whose disk has been full for long gives its shards to one that has room", async () => {
  const [full, roomy] = [player("h1"), player("h2")];
  await full.ownership.start();
  await roomy.ownership.start();
  await eventually(() => expect(roomy.ownership.owned.size).toBe(SHARDS / 2));

  full.failing.add("probe");
  await eventually(async () => {
    const beats = await new Leases(table, "s1").heartbeats();
    expect(beats.find(({ host }) => host === "h1")?.isAble).toBe(false);
  });
  expect(full.ownership.owned.size).toBe(SHARDS / 2);
  full.aheadMs += 11_000;
  await eventually(() => expect(roomy.ownership.owned.size).toBe(SHARDS));

  full.failing.clear();
  await eventually(() => expect(full.ownership.owned.size).toBe(SHARDS / 2));
}, 30_000);

test("hosts that have all lost the bus keep what they have", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size + second.ownership.owned.size).toBe(SHARDS));
  const before = moves.length;
  for (const { ownership } of [first, second]) ownership.noteBus(false);
  await eventually(async () => {
    const beats = await new Leases(table, "s1").heartbeats();
    expect(beats.map(({ isAble }) => isAble)).toEqual([false, false]);
  });
  for (const host of [first, second]) host.aheadMs = 60_000;
  const rounds = vi.spyOn(table, "query");
  for (const { ownership } of [first, second]) ownership.look();
  await eventually(() => expect(rounds.mock.calls.length).toBeGreaterThanOrEqual(8));
  expect(moves.length).toBe(before);
});

test("what one host cannot open another one takes, and the first tries neither epoch nor lease meanwhile", async () => {
  const [full, roomy] = [player("h1"), player("h2")];
  full.failing.add("open");
  await full.ownership.start();
  const [probes, tries] = [(step: string) => step === "probe", (step: string) => step !== "probe"];
  const tried = full.steps.filter(tries).length;
  await roomy.ownership.start();
  await eventually(() => expect(roomy.ownership.owned.size).toBe(SHARDS));
  full.failing.add("probe");
  const probed = full.steps.filter(probes).length;
  full.aheadMs = 6_000;
  full.ownership.look();
  await eventually(() => expect(full.steps.filter(probes).length).toBeGreaterThan(probed));
  expect(full.steps.filter(tries).length).toBe(tried);

  full.failing.clear();
  full.aheadMs = 120_000;
  await eventually(() => expect(full.ownership.owned.size).toBe(SHARDS / 2));
}, 20_000);

test("what cannot be served is said once and not for each shard", async () => {
  const error = vi.spyOn(log, "error");
  const warn = vi.spyOn(log, "warn");
  const host = player("h1");
  host.failing.add("claim").add("unclaim").add("probe");
  await host.ownership.start();
  host.aheadMs = 20_000;
  host.ownership.look();
  await eventually(() => expect(host.steps).toContain("probe"));
  expect(host.steps.filter((step) => step.startsWith("claim")).length).toBeGreaterThan(1);
  expect(error).toHaveBeenCalledTimes(1);
  expect(warn).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test("a lease whose taking was not answered is taken again and served", async () => {
  const host = player("h1");
  const replace = table.replaceIf.bind(table);
  let lost = 1;
  table.replaceIf = async (...args) => {
    const answer = await replace(...args);
    if (args[0] === "S#s1" && args[1] === "5" && lost-- > 0) throw new Error("the reply was lost");
    return answer;
  };
  await host.ownership.start();
  await eventually(() => expect(host.ownership.owned.has(5)).toBe(true));
});

test("of two hosts with one name the newcomer ends with a sentence, and the one that serves goes on", async () => {
  const first = player("h1", "here");
  await first.ownership.start();
  const second = player("h1", "there");

  await expect(second.ownership.start()).rejects.toThrow(/h1 lives already at here; set TIDINGS_HOST_NAME/);
  await second.ownership.stop();
  expect((await new Leases(table, "s1").heartbeat("h1"))?.place).toBe("here");
  expect(first.ownership.owned.size).toBe(SHARDS);
  expect(first.onEnd).not.toHaveBeenCalled();
}, 20_000);

test("a folder has one host at a time", () => {
  const folder = mkdtempSync(join(tmpdir(), "host-"));
  const unlock = lockFolder(folder, "h1");
  expect(() => lockFolder(folder, "h1")).toThrow(HostNameTakenError);
  unlock();
  lockFolder(folder, "h1")();
  rmSync(folder, { recursive: true });
});

test("a host that stood still looks at its leases before it says anything, and ends when it is deposed", async () => {
  const host = player("h1");
  await host.ownership.start();
  host.aheadMs = 60_000;
  expect(host.ownership.isSure).toBe(false);
  await host.ownership.assured();
  expect(host.ownership.isSure).toBe(true);
  expect(host.onEnd).not.toHaveBeenCalled();

  const leases = new Leases(table, "s1");
  const lease = (await leases.leases()).find(({ shard }) => shard === 9);
  await leases.take(9, lease, "h2", "other");
  host.aheadMs = 120_000;
  const onSure = vi.fn();
  void host.ownership.assured()?.then(onSure);
  await eventually(() => expect(host.onEnd).toHaveBeenCalledWith(expect.stringContaining("shard 9")));
  expect(onSure).not.toHaveBeenCalled();
});

test("a wall clock that is set by an hour moves no shard", async () => {
  const [first, second] = [player("h1"), player("h2")];
  await Promise.all([first.ownership.start(), second.ownership.start()]);
  await eventually(() => expect(first.ownership.owned.size + second.ownership.owned.size).toBe(SHARDS));
  const before = moves.length;
  for (const wallAheadMs of [3_600_000, -3_600_000]) {
    first.wallAheadMs = wallAheadMs;
    await first.ownership.assured();
    expect(first.ownership.isSure).toBe(true);
  }
  first.ownership.look();
  second.ownership.look();
  await eventually(() => expect(first.ownership.isSure).toBe(true));
  expect(moves.length).toBe(before);
  expect(first.onEnd).not.toHaveBeenCalled();
});

test("a table that refuses ends the host with the table's sentence", async () => {
  const host = player("h1");
  await host.ownership.start();
  table.get = table.replaceIf = async () => {
    throw new TableRefusedError("DynamoDB table …: the request is denied; allow …");
  };
  host.aheadMs = 60_000;
  void host.ownership.assured();
  await eventually(() => expect(host.onEnd).toHaveBeenCalledWith(expect.stringContaining("is denied")));
});

test("what somebody waits for is served first when a host starts alone", async () => {
  const host = player("h1");
  for (const shard of [63, 40]) host.awaited.add(shard);
  await host.ownership.start();
  const ready = host.steps.filter((step) => step.startsWith("ready"));
  expect(ready.slice(0, 2).sort()).toEqual(["ready 40", "ready 63"]);
  expect(host.ownership.owned.size).toBe(SHARDS);
});
