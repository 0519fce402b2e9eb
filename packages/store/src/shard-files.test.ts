/** What becomes of a shard when its file or its disk is not what it was. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Background, silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../../testkit/src/eventually.ts";
import { MemoryTable } from "../../testkit/src/memory-table.ts";
import { DiskError, TornFileError } from "./file-error.ts";
import { LocalFile } from "./local-file.ts";
import { rowsOf } from "./pieces.ts";
import type { Row } from "./rows.ts";
import { ShardStore } from "./shard-store.ts";

const PAGE_BYTES = 4_096;
const log = silentLog();
let folder = "";
let path = "";
let table = new MemoryTable();
const stores: ShardStore[] = [];
let epoch = 0;
let onLost = vi.fn();
let warn = vi.spyOn(log, "warn");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
  path = join(folder, "s1-17.db");
  table = new MemoryTable();
  epoch = 0;
  onLost = vi.fn();
  warn = vi.spyOn(log, "warn");
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const store of stores.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(checkpointAfterMs?: number, shard = 17): Promise<ShardStore> {
  const background = new Background();
  const file = shard === 17 ? path : join(folder, `shard-${shard}.db`);
  const place = { table, silo: "s1", shard, epoch: ++epoch, path: file };
  const pace = checkpointAfterMs === undefined ? {} : { checkpointAfterMs };
  const options = { ...place, ...pace, log, background, onLost, onSeal: () => [] };
  const store = await ShardStore.open(options);
  stores.push(store);
  return store;
}

/** The rows of forty avatars, over many pages. */
function rows(): Row[] {
  const value = "x".repeat(1_000);
  return Array.from({ length: 400 }, (_, n) => ({
    avatar: `u${n % 40}`,
    key: `h/${n}`,
    value: `${n}${value}`,
  }));
}

async function written(): Promise<void> {
  const store = await opened();
  store.write({ rows: rows() });
  await store.drained();
  store.close();
}

async function holdsAll(store: ShardStore): Promise<void> {
  for (const { avatar, key, value } of rows()) {
    await store.hydrate(avatar);
    if (store.get(avatar, key) !== value) throw new Error(`${avatar} has lost ${key}`);
  }
}

async function scribble(at: number, length: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(length, 0xa5), 0, length, at);
  await file.close();
}

const damages: readonly [string, () => Promise<void> | void][] = [
  [
    "is cut off in the middle",
    () => truncateSync(path, Math.floor(statSync(path).size / 2 / PAGE_BYTES) * PAGE_BYTES),
  ],
  ["has other bytes at its beginning", () => scribble(0, 200)],
  ["is something else", () => writeFileSync(path, "no database")],
  [
    "is of a later layout",
    () => {
      const db = new DatabaseSync(path);
      db.exec("UPDATE meta SET value = '99' WHERE name = 'layout'");
      db.close();
    },
  ],
  [
    "is of another shard",
    () => {
      rmSync(path);
      LocalFile.open(path, "s1#18", log).close();
    },
  ],
  [
    "is of a history that another installation has gone on with",
    () => {
      const file = LocalFile.open(path, "s1#17", log);
      file.history = "another";
      file.apply([{ avatar: "u1", key: "h/1", value: "alien" }], file.position);
      file.close();
    },
  ],
];

test.each(damages)("a file that %s is discarded with one line, and nothing is lost", async (_, damage) => {
  await written();
  await damage();

  const store = await opened();

  await holdsAll(store);
  expect(warn).toHaveBeenCalledTimes(1);
});

test("an empty file, and a file whose write-ahead log is gone, are brought up to date from the journal", async () => {
  await written();
  writeFileSync(path, "");
  await holdsAll(await opened());
  stores.at(-1)?.close();

  const store = await opened();
  copyFileSync(path, `${path}.kept`);
  store.write({ rows: [{ avatar: "u1", key: "h/1", value: "newer" }] });
  await store.drained();
  store.close();
  copyFileSync(`${path}.kept`, path);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });

  expect((await opened()).get("u1", "h/1")).toBe("newer");
});

test("bytes that have changed in the middle of a file are never served: the shard is lost, and rebuilt", async () => {
  await written();
  for (let page = 10; page < statSync(path).size / PAGE_BYTES; page += 3)
    await scribble(page * PAGE_BYTES + 1_000, 200);

  const store = await opened();
  await expect(holdsAll(store)).rejects.toThrow(/torn/);

  expect(onLost).toHaveBeenCalledExactlyOnceWith(expect.any(TornFileError));
  expect(store.isOpen).toBe(false);
  expect(existsSync(path)).toBe(false);
  await holdsAll(await opened());
});

test("a disk that is full holds up the file, not the shard, and rows go to it when there is room again", async () => {
  const store = await opened();
  const error = vi.spyOn(log, "error");
  const disk = fullDisk();

  store.write({ rows: rows() });
  await store.drained();
  await eventually(() => expect(store.backlogChars).toBeGreaterThan(400_000));
  expect(store.get("u1", "h/1")).toMatch(/^1x/);
  expect(error.mock.calls[0]?.[0]).toMatchObject({ err: expect.any(DiskError) });

  disk.isFull = false;
  await eventually(() => expect(store.backlogChars).toBe(0));
  expect(onLost).not.toHaveBeenCalled();
  store.close();
  await holdsAll(await opened());
});

test("a shard that is closed while its disk is full has lost nothing", async () => {
  const store = await opened();
  const disk = fullDisk();
  store.write({ rows: rows() });
  await store.drained();
  store.close();

  await expect(opened()).rejects.toThrow(/make room on its disk/);
  expect(existsSync(path)).toBe(true);
  disk.isFull = false;

  await holdsAll(await opened());
});

test("a shard whose file has not taken anything for too long is given up", async () => {
  const store = await opened();
  fullDisk();
  for (let n = 0; n < 9; n++) {
    store.write({ rows: [{ avatar: "u1", key: `${n}`, value: "x".repeat(4_000_000) }] });
    await store.drained();
  }
  await eventually(() => expect(onLost).toHaveBeenCalledExactlyOnceWith(expect.any(DiskError)));
});

/** From now on every transaction fails as SQLite fails on a full disk. */
function fullDisk() {
  const disk = { isFull: true };
  const exec = DatabaseSync.prototype.exec;
  vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql: string) {
    if (disk.isFull && sql === "COMMIT") {
      exec.call(this, "ROLLBACK");
      throw Object.assign(new Error("database or disk is full"), { errcode: 13 });
    }
    exec.call(this, sql);
  });
  return disk;
}

test("changes get into the checkpoints after the time that is set, also when nothing comes after them", async () => {
  const store = await opened(1);
  store.write({ rows: [{ avatar: "alice", key: "h/1", value: "1" }] });
  await store.drained();
  await eventually(async () => expect(await checkpointed()).toEqual(["h/1"]));
  store.write({ rows: [{ avatar: "alice", key: "h/2", value: "2" }] });
  await store.drained();
  await eventually(async () => expect(await checkpointed()).toEqual(["h/1", "h/2"]));
});

/** Keys of alice's rows in the checkpoints. */
async function checkpointed(): Promise<string[]> {
  const { entries } = rowsOf(await Array.fromAsync(table.query("C#s1#17#alice")), new Set());
  return entries.map(({ key }) => key);
}

test("what changes in many shards in the same moment does not get into their checkpoints in the same moment", async () => {
  const begun: number[] = [];
  const replace = table.replaceIf.bind(table);
  vi.spyOn(table, "replaceIf").mockImplementation((pk, sk, ...rest) => {
    if (sk === "#position" && isWritten) begun.push(performance.now());
    return replace(pk, sk, ...rest);
  });
  let isWritten = false;
  const many = await Promise.all(Array.from({ length: 12 }, (_, shard) => opened(600, shard)));
  isWritten = true;
  for (const store of many) store.write({ rows: [{ avatar: "alice", key: "h/1", value: "1" }] });
  // Each begins a run and ends it.
  await eventually(() => expect(begun).toHaveLength(24));
  expect(Math.max(...begun) - Math.min(...begun)).toBeGreaterThan(100);
});
