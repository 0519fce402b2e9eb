/**
 * What the store of a shard promises on every DynamoDB endpoint. `makeTable` gives a client of one and the same table; the
 * suite closes what it opens. Each test has a silo of its own, so that a table may be used again.
 */
import { appendFileSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background, silentLog } from "@tidings/runtime";
import { Checkpoint, DeposedError, Journal, type Row, ShardStore, type Table } from "@tidings/store";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "./eventually.ts";

const SHARD = 17;
const row = (avatar: string, key: string, value: string | null): Row => ({ avatar, key, value });

/** Declares the suite for the endpoint `name`. */
export function describeStore(name: string, makeTable: () => Table): void {
  describe(`${name} keeps the promises of a store`, () => {
    const stage = new Stage(makeTable);
    beforeEach(() => stage.begin());
    afterEach(() => stage.end());

    describeCommits(stage);
    describeOwnership(stage);
    describeFiles(stage);
    describeCheckpoints(stage);
    describeRuns(stage);
  });
}

function describeCommits(stage: Stage): void {
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

function describeOwnership(stage: Stage): void {
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

function describeFiles(stage: Stage): void {
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

function describeCheckpoints(stage: Stage): void {
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
function describeRuns(stage: Stage): void {
  test("a row that comes and goes between two checkpoints costs nothing, and one that goes later is gone", async () => {
    const store = await stage.open(1);
    store.write({
      rows: [row("_17", "out/1/1", "frame"), row("_17", "kept", "1"), row("alice", "p/1", "1")],
    });
    await stage.checkpoint(store);
    const deletions = vi.spyOn(stage.table, "deleteIfLower");

    store.write({ rows: [row("_17", "out/1/2", "frame")] });
    await store.drained();
    const gone = [row("_17", "out/1/1", null), row("_17", "out/1/2", null), row("alice", "p/1", null)];
    store.write({ rows: gone });
    await stage.checkpoint(store);

    expect(await stage.checkpointed("_17")).toEqual(["kept"]);
    expect(await stage.checkpointed("alice")).toEqual([]);
    expect(deletions.mock.calls.map(([, key]) => key).sort()).toEqual(["out/1/1", "p/1"]);
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
    expect(await stage.checkpointed("alice")).toEqual(["core", "secret"]);
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

interface OpenOptions {
  readonly path?: string;
  readonly silo?: string;
  readonly onLost?: (error: Error) => void;
  readonly onSeal?: (told: readonly string[]) => Row[];
}

/** One test's silo, folder and stores. */
class Stage {
  readonly #makeTable: () => Table;
  #table: Table | undefined;
  #waiting = 0;
  /** How many of the next journal puts are carried out without the writer hearing of it. */
  lostReplies = 0;
  /** Happens once, after the next fence and before the journal is read back. */
  beforeReading: (() => Promise<void>) | null = null;
  /** Journal puts wait for this. */
  gate: Promise<void> = Promise.resolve();
  #folder = "";
  #silo = "";
  #stores: ShardStore<string>[] = [];

  constructor(makeTable: () => Table) {
    this.#makeTable = makeTable;
  }

  get table(): Table {
    if (this.#table === undefined) throw new Error("the test has not begun");
    return this.#table;
  }

  async begin(): Promise<void> {
    this.#table = this.#makeTable();
    await this.#table.create();
    this.#interposeOn(this.#table);
    this.#folder = mkdtempSync(join(tmpdir(), "store-"));
    this.#silo = `t${process.pid}-${performance.now()}`;
  }

  /** Journal puts that have been asked for and not carried out. */
  get waiting(): number {
    return this.#waiting;
  }

  end(): void {
    vi.useRealTimers();
    for (const store of this.#stores.splice(0)) store.close();
    this.#table?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.#folder, `${name}.db`);
  }

  /** Opens the shard for `epoch`, with the file of the host `path`. */
  async open(
    epoch: number,
    { path = "h1", silo, onLost, onSeal }: OpenOptions = {},
  ): Promise<ShardStore<string>> {
    const store = await ShardStore.open<string>({
      background: new Background(),
      table: this.table,
      silo: silo ?? this.#silo,
      shard: SHARD,
      epoch,
      path: this.path(path),
      log: silentLog(),
      onLost: onLost ?? ((error) => expect.fail(`the store was lost: ${error.message}`)),
      onSeal: onSeal ?? (() => []),
    });
    this.#stores.push(store);
    return store;
  }

  forgetFile(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.path("h1") + suffix, { force: true });
  }

  /** Lets a minute pass, so that the next commit brings a checkpoint, and resolves when it is written. */
  async checkpoint(store: ShardStore<string>): Promise<void> {
    await this.beginCheckpoint(store);
    const last = (await this.slotNumbers()).at(-1);
    await eventually(async () => {
      expect(await this.position()).toBe(last);
    });
  }

  /** Lets a minute pass, so that the next commit brings a checkpoint. */
  async beginCheckpoint(store: ShardStore<string>): Promise<void> {
    await store.drained();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    store.write({ rows: [row("clock", "at", String(Date.now()))] });
    await store.drained();
  }

  /** Up to where the journal is in the checkpoints. */
  async position(): Promise<number> {
    return (await new Checkpoint(this.table, this.#silo, SHARD).state()).seq;
  }

  /** Keys of an avatar's items in the checkpoints, whoever has written them. */
  async checkpointed(avatar: string): Promise<string[]> {
    const items = await Array.fromAsync(this.table.query(`C#${this.#silo}#${SHARD}#${avatar}`));
    return items.map(({ sk }) => sk?.S ?? "");
  }

  /** The next write of the row `key` to the checkpoints stays under way until it `lands`; its writer waits, or gives it up. */
  holdBackRow(key: string, writer: "waits" | "fails" = "waits") {
    const asked = Promise.withResolvers<void>();
    const landed = Promise.withResolvers<void>();
    const put = this.table.putIfHigher.bind(this.table);
    let carryOut: (() => Promise<unknown>) | undefined;
    this.table.putIfHigher = async (...args) => {
      if (args[1] !== key || carryOut !== undefined) return put(...args);
      carryOut = () => put(...args);
      asked.resolve();
      if (writer === "fails") throw new Error("no answer");
      await landed.promise;
      return true;
    };
    const lands = async () => {
      await carryOut?.();
      landed.resolve();
    };
    return { isAsked: asked.promise, lands };
  }

  /** What a deposed owner of `epoch` still does of a checkpoint up to its last write: rows, position, trimming. */
  async checkpointLate(epoch: number, rows: readonly Row[]): Promise<void> {
    const items = await this.#items();
    const seq = Number(items.findLast((item) => Number(item.epoch?.N) === epoch)?.sk?.S);
    const checkpoint = new Checkpoint(this.table, this.#silo, SHARD);
    await checkpoint.claim(epoch);
    const run = (await checkpoint.begin(0)) ?? 0;
    for (const changed of rows) await checkpoint.write(changed, run);
    await checkpoint.finish(run, { seq, epoch });
    await new Journal(this.table, this.#silo, SHARD).trim(seq);
  }

  /** The commits that a new owner would replay. */
  async records(): Promise<unknown[]> {
    return await Array.fromAsync(new Journal(this.table, this.#silo, SHARD).read({ seq: 0, epoch: 0 }));
  }

  /** The kinds of the records in the journal, in order. */
  async slots(): Promise<string[]> {
    return (await this.#items()).map(({ kind }) => kind?.S ?? "");
  }

  async slotNumbers(): Promise<number[]> {
    return (await this.#items()).map(({ sk }) => Number(sk?.S));
  }

  /** Takes away all but the first fence: a journal trimmed to the utmost. */
  async loseSlots(): Promise<void> {
    const keys = (await this.#items()).map(({ sk }) => sk?.S ?? "");
    await this.table.delete(`J#${this.#silo}#${SHARD}`, keys.slice(1));
  }

  /** Puts a line that can break between the journal and its table. */
  #interposeOn(table: Table): void {
    const put = table.putIfAbsent.bind(table);
    this.gate = Promise.resolve();
    this.lostReplies = 0;
    table.putIfAbsent = async (...args) => {
      this.#waiting++;
      await this.gate;
      this.#waiting--;
      const answer = await put(...args);
      if (this.lostReplies === 0) return answer;
      this.lostReplies--;
      throw new Error("the reply was lost");
    };
    this.#interposeOnReading(table);
  }

  /** Lets something happen between a new owner's fence and its reading of the journal. */
  #interposeOnReading(table: Table): void {
    const query = table.query.bind(table);
    const take = () => {
      const before = this.beforeReading;
      this.beforeReading = null;
      return before?.();
    };
    this.beforeReading = null;
    table.query = async function* (pk, range) {
      if (pk.startsWith("J#") && range?.after !== undefined) await take();
      yield* query(pk, range);
    };
  }

  #items() {
    return Array.fromAsync(this.table.query(`J#${this.#silo}#${SHARD}`));
  }
}
