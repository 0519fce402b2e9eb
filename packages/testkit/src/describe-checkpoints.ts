/**
 * What the checkpoints of a shard promise on every DynamoDB endpoint: a lost file is rebuilt from them, the journal is trimmed
 * behind them, and what is late changes nothing. `makeTable` as in `describeStore`.
 */
import { randomBytes } from "node:crypto";
import { decodeGroup, type Item, type Table } from "@tidings/store";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { describePreparing } from "./describe-preparing.ts";
import { eventually } from "./eventually.ts";
import { row, StoreStage } from "./store-stage.ts";

/** Declares the suite for the endpoint `name`. */
export function describeCheckpoints(name: string, makeTable: () => Table): void {
  describe(`${name} keeps the promises of checkpoints`, () => {
    const stage = new StoreStage(makeTable);
    beforeEach(async () => {
      // No piece is a whole by chance.
      vi.spyOn(Math, "random").mockReturnValue(0.99);
      await stage.begin();
    });
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
      stage.end();
    });

    describeRebuilding(stage);
    describeRuns(stage);
    describePreparing(stage);
  });
}

function describeRebuilding(stage: StoreStage): void {
  test("a lost file is rebuilt avatar by avatar from checkpoints and journal", async () => {
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "a", "1"), row("alice", "b", "1"), row("bob", "a", "1")] });
    await stage.checkpoint(store);
    store.write({ rows: [row("alice", "b", "2"), row("alice", "c", "2")] });
    await store.drained();
    store.close();
    stage.forgetFile();

    const rebuilt = await stage.open(2);
    expect(rebuilt.isHydrated("alice")).toBe(false);
    await rebuilt.hydrate("alice");

    expect(rebuilt.isHydrated("alice")).toBe(true);
    expect(rebuilt.isHydrated("bob")).toBe(false);
    expect(rebuilt.list("alice", { from: "", to: "\uffff" })).toEqual([
      { key: "a", value: "1" },
      { key: "b", value: "2" },
      { key: "c", value: "2" },
    ]);
  });

  test("a deleted row does not come back from a checkpoint, whenever it was deleted", async () => {
    const store = await stage.open(1);
    store.write({ rows: ["before", "after", "late", "kept"].map((key) => row("alice", key, "1")) });
    await stage.checkpoint(store);
    store.write({ rows: [row("alice", "before", null)] });
    await stage.checkpoint(store);
    store.write({ rows: [row("alice", "after", null)] });
    await store.drained();
    store.close();
    stage.forgetFile();

    const rebuilt = await stage.open(2);
    await rebuilt.hydrate("alice");
    rebuilt.write({ rows: [row("alice", "late", null)] });
    await rebuilt.drained();
    rebuilt.close();
    const last = await stage.open(3);

    expect(last.list("alice", { from: "", to: "\uffff" })).toEqual([{ key: "kept", value: "1" }]);
  });

  test("after a checkpoint the journal keeps fences and little else", async () => {
    const store = await stage.open(1);
    for (let n = 0; n < 5; n++) {
      store.write({ rows: [row("alice", String(n), "1")] });
      await store.drained();
    }
    await stage.checkpoint(store);
    await eventually(async () => expect(await stage.slots()).toEqual(["fence", "write"]));
  });

  test("an owner that finds a trimmed journal goes on behind the checkpoint", async () => {
    const first = await stage.open(1);
    for (let n = 0; n < 20; n++) {
      first.write({ rows: [row("alice", "core", "1")] });
      await first.drained();
    }
    await stage.checkpoint(first);
    await eventually(async () => expect((await stage.slots()).length).toBeLessThanOrEqual(2));
    first.close();
    const second = await stage.open(2);
    second.write({ rows: [row("alice", "core", "2")] });
    await second.drained();
    second.close();
    stage.forgetFile();

    const third = await stage.open(3);
    await third.hydrate("alice");

    expect(third.get("alice", "core")).toBe("2");
  });

  test("an owner whose fence falls into a gap left by trimming fences again behind the checkpoint", async () => {
    const first = await stage.open(1);
    for (let n = 0; n < 20; n++) {
      first.write({ rows: [row("alice", "core", "1")] });
      await first.drained();
    }
    await stage.checkpoint(first);
    first.close();
    await stage.loseSlots();

    const second = await stage.open(2);
    second.write({ rows: [row("alice", "core", "2")] });
    await stage.checkpoint(second);
    second.close();
    stage.forgetFile();
    const third = await stage.open(3);
    await third.hydrate("alice");

    expect(third.get("alice", "core")).toBe("2");
  });
}

/** What comes and goes leaves nothing in the checkpoints, and what is late changes nothing there. */
function describeRuns(stage: StoreStage): void {
  test("a row that comes and goes between two checkpoints costs nothing, and one that goes later is gone", async () => {
    const store = await stage.open(1);
    store.write({
      rows: [row("_17", "out/1/1", "frame"), row("_17", "kept", "1"), row("alice", "p/1", "1")],
    });
    await stage.checkpoint(store);
    store.write({ rows: [row("_17", "out/1/2", "frame")] });
    await store.drained();
    const gone = [row("_17", "out/1/1", null), row("_17", "out/1/2", null), row("alice", "p/1", null)];
    store.write({ rows: gone });
    await stage.checkpoint(store);

    expect(await stage.checkpointed("_17")).toEqual(["kept"]);
    expect(await stage.checkpointed("alice")).toEqual([]);
    expect((await stage.pieces("_17")).map(rowsIn)).toEqual([["kept", "out/1/1"], ["out/1/1 deleted"]]);
  });

  test("one piece in many is a whole, behind which nothing else stays", async () => {
    const store = await stage.open(1);
    for (const [key, value] of [
      ["a", "1"],
      ["b", "1"],
      ["a", null],
      ["c", "1"],
    ] as const) {
      store.write({ rows: [row("alice", key, value)] });
      await stage.checkpoint(store);
    }
    expect((await stage.pieces("alice")).length).toBeGreaterThan(1);

    vi.spyOn(Math, "random").mockReturnValue(0);
    const many = Array.from({ length: 1_200 }, (_, n) => row("alice", `h/${n}`, "1"));
    store.write({ rows: [row("alice", "b", "2"), ...many] });
    await stage.checkpoint(store);

    await eventually(async () =>
      expect((await stage.pieces("alice")).map(({ whole }) => whole?.BOOL)).toEqual([
        true,
        undefined,
        undefined,
      ]),
    );
    store.close();
    stage.forgetFile();
    const next = await stage.open(2);
    await next.hydrate("alice");
    expect(next.list("alice", { from: "a", to: "d" })).toEqual([
      { key: "b", value: "2" },
      { key: "c", value: "1" },
    ]);
    expect(next.list("alice", { from: "h/", to: "h0" })).toHaveLength(1_200);
  });

  test("an avatar that was read from very many pieces is one again when it changes", async () => {
    const store = await stage.open(1);
    for (let n = 0; n < 130; n++) await stage.writesPiece(row("alice", `h/${n}`, "1"));
    await stage.checkpoint(store);
    store.close();
    stage.forgetFile();
    const next = await stage.open(2);
    await next.hydrate("alice");
    next.write({ rows: [row("alice", "core", "1")] });
    await stage.checkpoint(next);

    await eventually(async () => expect(await stage.pieces("alice")).toHaveLength(1));
    expect(await stage.checkpointed("alice")).toHaveLength(131);
  });

  test("of an avatar that is erased nothing stays in the table", async () => {
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "core", "secret"), row("alice", "h/1", "secret")] });
    await stage.checkpoint(store);
    store.write({ rows: [row("alice", "core", null), row("alice", "h/1", null)] });
    await stage.checkpoint(store);
    await eventually(async () => expect(await stage.pieces("alice")).toEqual([]));
  });

  test("a deposed owner that sweeps late leaves what its successor has written", async () => {
    const checkpoint = await stage.deposedBeforeSweep(row("alice", "a", "1"));
    const owner = await stage.open(2, { path: "elsewhere" });
    await owner.hydrate("alice");
    owner.write({ rows: [row("alice", "b", "1")] });
    await stage.checkpoint(owner);
    for (const hasRows of [true, false]) await checkpoint.sweep("alice", 1, hasRows);
    expect(await stage.checkpointed("alice")).toContain("b");
  });

  test("rows that are larger than an item of the table come back as they were", async () => {
    const store = await stage.open(1);
    // It does not get smaller by compression.
    const large = randomBytes(900_000).toString("base64");
    store.write({ rows: [row("alice", "large", large), row("alice", "small", "1")] });
    await stage.checkpoint(store);
    expect((await stage.pieces("alice")).length).toBeGreaterThan(2);
    store.close();
    stage.forgetFile();
    const next = await stage.open(2);
    await next.hydrate("alice");
    expect(next.get("alice", "large") === large).toBe(true);
    expect(next.get("alice", "small")).toBe("1");
  });

  test("a late write of a deposed owner does not bring back what its successor has deleted", async () => {
    const deposed = await stage.open(1, { onLost: () => {} });
    const late = stage.holdBackRow("secret");
    deposed.write({ rows: [row("alice", "secret", "1"), row("alice", "core", "1")] });
    await stage.beginCheckpoint(deposed);
    await late.isAsked;
    const owner = await stage.open(2, { path: "elsewhere" });
    await owner.hydrate("alice");
    owner.write({ rows: [row("alice", "secret", null)] });
    await stage.checkpoint(owner);
    owner.close();

    await late.lands();
    expect((await stage.pieces("alice")).map(rowsIn)).toContainEqual(["core", "secret"]);
    const next = await stage.open(3, { path: "third" });
    await next.hydrate("alice");

    expect(next.list("alice", { from: "", to: "\uffff" })).toEqual([{ key: "core", value: "1" }]);
  });

  test("a write of the own that was given up and lands late does not bring back what was deleted", async () => {
    const store = await stage.open(1);
    const late = stage.holdBackRow("secret", "fails");
    store.write({ rows: [row("alice", "secret", "1")] });
    await stage.beginCheckpoint(store);
    await late.isAsked;
    store.write({ rows: [row("alice", "secret", null)] });
    await stage.checkpoint(store);
    await late.lands();
    store.close();
    stage.forgetFile();

    const next = await stage.open(2);
    await next.hydrate("alice");

    expect(next.get("alice", "secret")).toBeUndefined();
  });

  test("what changes while a checkpoint is written is in the next one when its own time has come", async () => {
    const store = await stage.open(1);
    const slow = stage.holdBackRow("first");
    store.write({ rows: [row("alice", "first", "1")] });
    await stage.beginCheckpoint(store);
    await slow.isAsked;
    store.write({ rows: [row("alice", "second", "1")] });
    await store.drained();
    stage.passMinute();
    await slow.lands();

    await eventually(async () => expect(await stage.checkpointed("alice")).toEqual(["first", "second"]));
  });

  test("a short journal is left to the next owner to read, and a long one is not", async () => {
    const store = await stage.open(1);
    const before = await stage.position();
    store.write({ rows: [row("alice", "short", "1")] });
    await store.drained();
    await store.checkpointIfLong();
    expect(await stage.position()).toBe(before);

    for (let n = 0; n < 12; n++) store.write({ rows: [row("alice", `long ${n}`, "x".repeat(100_000))] });
    await store.drained();
    await store.checkpointIfLong();
    expect(await stage.position()).toBeGreaterThan(before);
    const after = await stage.position();
    store.write({ rows: [row("alice", "short", "2")] });
    await store.drained();
    await store.checkpointIfLong();
    expect(await stage.position()).toBe(after);
  });

  test("a deposed owner does not move the checkpoints that its successor replays behind", async () => {
    const deposed = await stage.open(1, { onLost: () => {} });
    const late = stage.holdBackRow("core");
    deposed.write({ rows: [row("alice", "core", "1")] });
    await stage.beginCheckpoint(deposed);
    await late.isAsked;
    const before = await stage.position();
    await stage.open(2, { path: "elsewhere" });

    await late.lands();
    deposed.close();
    await deposed.drained();

    expect(await stage.position()).toBe(before);
  });

  test("an owner that takes a shard asks once how far the checkpoints are", async () => {
    const store = await stage.open(1);
    await stage.checkpoint(store);
    store.close();
    const get = vi.spyOn(stage.table, "get");
    await stage.open(2);
    expect(get.mock.calls.filter(([, key]) => key === "#position")).toHaveLength(1);
  });

  test.each([3_600_000, -3_600_000])("a wall clock that is set by %i ms changes nothing", async (jumpMs) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "core", "1")] });
    await stage.checkpoint(store);
    const before = await stage.position();
    vi.setSystemTime(Date.now() + jumpMs);
    store.write({ rows: [row("alice", "core", "2")] });
    await store.drained();
    expect(await stage.position()).toBe(before);
    await stage.checkpoint(store);
    expect(await stage.checkpointed("alice")).toEqual(["core"]);
  });
}

/** The rows that an item of one piece changes. */
function rowsIn({ blob }: Item): string[] {
  const rows = decodeGroup(blob?.B ?? new Uint8Array());
  return rows.map(({ key, value }) => (value === null ? `${key} deleted` : key)).sort();
}
