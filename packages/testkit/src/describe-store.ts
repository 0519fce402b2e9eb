/**
 * What the store of a shard promises on every DynamoDB endpoint: commits, ownership, the file. `makeTable` gives a client of
 * one and the same table; the suite closes what it opens. Each test has a silo of its own, so that a table may be used again.
 */
import { appendFileSync, copyFileSync, writeFileSync } from "node:fs";
import { DeposedError, type Table } from "@tidings/store";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { row, StoreStage } from "./store-stage.ts";

/** Declares the suite for the endpoint `name`. */
export function describeStore(name: string, makeTable: () => Table): void {
  describe(`${name} keeps the promises of a store`, () => {
    const stage = new StoreStage(makeTable);
    beforeEach(() => stage.begin());
    afterEach(() => stage.end());

    describeCommits(stage);
    describeOwnership(stage);
    describeFiles(stage);
  });
}

function describeCommits(stage: StoreStage): void {
  test("a commit is there after the store was closed and opened again", async () => {
    const first = await stage.open(1);
    first.write({ rows: [row("alice", "core", "1"), row("bob", "core", "2")] });
    await first.drained();
    first.close();

    const second = await stage.open(2);

    expect(second.get("alice", "core")).toBe("1");
    expect(second.list("bob", { from: "", to: "\uffff" })).toEqual([{ key: "core", value: "2" }]);
  });

  test("a commit is seen at once, and its effects wait for the journal", async () => {
    const store = await stage.open(1);
    const journal = Promise.withResolvers<void>();
    stage.gate = journal.promise;
    const durable: string[] = [];
    for (const text of ["1", "2", "3"]) {
      store.write({ rows: [row("alice", "core", text)], onDurable: () => durable.push(text) });
    }
    expect(store.get("alice", "core")).toBe("3");
    expect(durable).toEqual([]);

    journal.resolve();
    await store.drained();

    expect(durable).toEqual(["1", "2", "3"]);
  });

  test("what is written while a record is on its way becomes one record", async () => {
    const store = await stage.open(1);
    const journal = Promise.withResolvers<void>();
    stage.gate = journal.promise;
    store.write({ rows: [row("alice", "core", "1")] });
    await eventually(() => expect(stage.waiting).toBe(1));
    for (let n = 0; n < 50; n++) store.write({ rows: [row("alice", `h/${n}`, "x")] });
    journal.resolve();
    await store.drained();
    expect(await stage.records()).toHaveLength(2);
  });

  test("a reply that was lost leaves one record, and its effects happen once", async () => {
    const store = await stage.open(1);
    const onDurable = vi.fn();
    stage.lostReplies = 2;

    store.write({ rows: [row("alice", "core", "1")], onDurable });
    await store.drained();

    expect(onDurable).toHaveBeenCalledTimes(1);
    expect(await stage.records()).toHaveLength(1);
  });

  test("a commit larger than an item of the table takes several slots and is applied whole", async () => {
    const text = incompressible(900_000);
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "long", text)] });
    await store.drained();
    store.close();

    stage.forgetFile();
    expect((await stage.open(2)).get("alice", "long")).toBe(text);
  });

  test("what a commit has told becomes rows of the same record", async () => {
    const store = await stage.open(1, { onSeal: (told) => [row("_17", "out", told.join())] });
    store.write({ rows: [row("alice", "core", "1")], told: ["a", "b"] });
    await store.drained();
    store.close();
    expect((await stage.open(2)).get("_17", "out")).toBe("a,b");
    expect(await stage.records()).toHaveLength(1);
  });
}

function describeOwnership(stage: StoreStage): void {
  test("a deposed owner hears so at its next write, and no effect leaves", async () => {
    const onLost = vi.fn();
    const onDurable = vi.fn();
    const deposed = await stage.open(1, { onLost });
    const owner = await stage.open(2, { path: "elsewhere" });

    deposed.write({ rows: [row("alice", "core", "deposed")], onDurable });
    await deposed.drained();

    expect(onLost).toHaveBeenCalledExactlyOnceWith(expect.any(DeposedError));
    expect(onDurable).not.toHaveBeenCalled();
    expect(owner.get("alice", "core")).toBeUndefined();
  });

  test("an epoch that has passed cannot take the shard back", async () => {
    await stage.open(5);
    await expect(stage.open(4, { path: "elsewhere" })).rejects.toBeInstanceOf(DeposedError);
  });

  test("what the last owner acknowledged is with the next one, on a host that never had it", async () => {
    const before = await stage.open(1);
    before.write({ rows: [row("alice", "core", "1")] });
    await before.drained();

    const after = await stage.open(2, { path: "elsewhere" });
    await after.hydrate("alice");

    expect(after.get("alice", "core")).toBe("1");
  });

  test("an owner that slept through checkpoints and trimming still finds its slot taken", async () => {
    const onLost = vi.fn();
    const sleeper = await stage.open(1, { onLost });
    sleeper.write({ rows: [row("alice", "core", "1")] });
    await sleeper.drained();
    const owner = await stage.open(2, { path: "elsewhere" });
    await stage.checkpoint(owner);

    sleeper.write({ rows: [row("alice", "core", "of a sleeper")] });
    await sleeper.drained();

    expect(onLost).toHaveBeenCalledExactlyOnceWith(expect.any(DeposedError));
  });
}

function describeFiles(stage: StoreStage): void {
  test("a deposed owner cannot trim the journal while its successor reads it back", async () => {
    const first = await stage.open(1);
    first.write({ rows: [row("alice", "core", "1")] });
    await first.drained();
    first.close();
    const deposed = await stage.open(2, { path: "elsewhere" });
    for (const key of ["middle", "last"]) {
      deposed.write({ rows: [row("alice", key, "2")] });
      await deposed.drained();
    }
    let refusal: unknown;
    stage.beforeReading = async () => {
      refusal = await stage.checkpointLate(2, [row("alice", "last", "2")]).catch((error) => error);
    };

    const owner = await stage.open(3);
    await owner.hydrate("alice");

    expect(refusal).toBeInstanceOf(DeposedError);
    expect(owner.get("alice", "middle")).toBe("2");
  });

  test("a file that ends where the journal never was is discarded", async () => {
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "core", "real")] });
    await store.drained();
    store.close();
    const alien = await stage.open(9, { path: "alien", silo: "other" });
    alien.write({ rows: [row("alice", "core", "alien")] });
    await alien.drained();
    alien.close();
    copyFileSync(stage.path("alien"), stage.path("h1"));

    expect((await stage.open(2)).get("alice", "core")).toBe("real");
  });

  test("a file of the past that is copied back is discarded", async () => {
    const first = await stage.open(1);
    first.write({ rows: [row("alice", "core", "old")] });
    await first.drained();
    first.close();
    copyFileSync(stage.path("h1"), stage.path("backup"));
    const second = await stage.open(2);
    second.write({ rows: [row("alice", "core", "new")] });
    await stage.checkpoint(second);
    second.close();
    stage.forgetFile();
    copyFileSync(stage.path("backup"), stage.path("h1"));

    const third = await stage.open(3);
    await third.hydrate("alice");

    expect(third.get("alice", "core")).toBe("new");
  });

  test("a torn file is rebuilt", async () => {
    const store = await stage.open(1);
    store.write({ rows: [row("alice", "core", "1")] });
    await store.drained();
    store.close();
    writeFileSync(stage.path("h1"), "SQLite format 3\0torn");
    appendFileSync(stage.path("h1"), "x".repeat(5_000));

    expect((await stage.open(2)).get("alice", "core")).toBe("1");
  });
}

/** Text that no compression makes much shorter. */
function incompressible(chars: number): string {
  let seed = 1;
  const next = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed.toString(36);
  };
  let text = "";
  while (text.length < chars) text += next();
  return text.slice(0, chars);
}
