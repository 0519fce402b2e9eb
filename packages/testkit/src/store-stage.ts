/** A stage for the suites of a store: shards of a silo of its own, on a table with a line in between that can break. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background, silentLog } from "@tidings/runtime";
import {
  Checkpoint,
  type Item,
  Journal,
  PreparedRows,
  type Row,
  rowsOf,
  ShardStore,
  type Table,
} from "@tidings/store";
import { expect } from "vitest";
import { eventually } from "./eventually.ts";

const SHARD = 17;

/** A row, or with null its deletion. */
export const row = (avatar: string, key: string, value: string | null): Row => ({ avatar, key, value });

interface OpenOptions {
  readonly path?: string;
  readonly silo?: string;
  readonly onLost?: (error: Error) => void;
  readonly onSeal?: (told: readonly string[]) => Row[];
  readonly prepared?: PreparedRows;
}

/** One test's silo, folder and stores. */
export class StoreStage {
  readonly #makeTable: () => Table;
  #table: Table | undefined;
  #waiting = 0;
  /** How many of the next journal puts are carried out without the writer hearing of it. */
  lostReplies = 0;
  /** Happens once, after the next fence and before the journal is read back. */
  beforeReading: (() => Promise<void>) | null = null;
  /** Journal puts wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** How far the stores' clock is set forward (milliseconds). */
  #aheadMs = 0;
  #folder = "";
  #silo = "";
  #stores: ShardStore<string>[] = [];
  #checkpoint: Checkpoint | undefined;

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
    this.#checkpoint = undefined;
  }

  /** Journal puts that have been asked for and not carried out. */
  get waiting(): number {
    return this.#waiting;
  }

  end(): void {
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
    { path = "h1", silo, onLost, onSeal, prepared }: OpenOptions = {},
  ): Promise<ShardStore<string>> {
    const store = await ShardStore.open<string>({
      background: new Background(),
      table: this.table,
      silo: silo ?? this.#silo,
      shard: SHARD,
      epoch,
      path: this.path(path),
      log: silentLog(),
      monotonicMs: () => performance.now() + this.#aheadMs,
      onLost: onLost ?? ((error) => expect.fail(`the store was lost: ${error.message}`)),
      onSeal: onSeal ?? (() => []),
      prepared,
    });
    this.#stores.push(store);
    return store;
  }

  /** What a host that will own the shard reads of it, at most so many characters. */
  prepares(mostChars: number): PreparedRows {
    return new PreparedRows(this.table, this.#silo, SHARD, mostChars);
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
    // The minute begins with the first change.
    store.write({ rows: [row("clock", "at", String(this.#aheadMs))] });
    await store.drained();
    this.passMinute();
    store.write({ rows: [row("clock", "at", String(this.#aheadMs))] });
    await store.drained();
  }

  /** Sets the stores' clock a minute forward: what has changed before is due for a checkpoint. */
  passMinute(): void {
    this.#aheadMs += 61_000;
  }

  /** Up to where the journal is in the checkpoints. */
  async position(): Promise<number> {
    return (await new Checkpoint(this.table, this.#silo, SHARD).state()).seq;
  }

  /** Keys of an avatar's rows in the checkpoints, whoever has written them. */
  async checkpointed(avatar: string): Promise<string[]> {
    const { entries } = rowsOf(await this.pieces(avatar), new Set());
    return entries.map(({ key }) => key).sort();
  }

  /** The items of an avatar in the checkpoints. */
  pieces(avatar: string): Promise<Item[]> {
    return Array.fromAsync(this.table.query(`C#${this.#silo}#${SHARD}#${avatar}`));
  }

  /** The next write of alice's row `key` to the checkpoints stays under way until it `lands`; its writer waits, or gives it up. */
  holdBackRow(key: string, writer: "waits" | "fails" = "waits") {
    const asked = Promise.withResolvers<void>();
    const landed = Promise.withResolvers<void>();
    const put = this.table.putAll.bind(this.table);
    let carryOut: (() => Promise<unknown>) | undefined;
    this.table.putAll = async (items) => {
      const theirs = items.filter(({ pk }) => pk.endsWith("#alice")).map(({ item }) => item);
      const isIt = rowsOf(theirs, new Set()).entries.some((entry) => entry.key === key);
      if (!isIt || carryOut !== undefined) return put(items);
      carryOut = () => put(items);
      asked.resolve();
      if (writer === "fails") throw new Error("no answer");
      await landed.promise;
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
    const run = (await checkpoint.begin(0, 0)) ?? 0;
    await checkpoint.write(
      rows.map((changed) => ({ avatar: changed.avatar, rows: [changed], isWhole: false })),
      run,
    );
    await checkpoint.finish(run, { seq, epoch });
    await new Journal(this.table, this.#silo, SHARD).trim(seq);
  }

  /** Writes a piece of its own into the checkpoints, in the run that was begun last. */
  async writesPiece(changed: Row): Promise<void> {
    this.#checkpoint ??= new Checkpoint(this.table, this.#silo, SHARD);
    await this.#checkpoint.write([{ avatar: changed.avatar, rows: [changed], isWhole: false }], 0);
  }

  /** The checkpoints of an owner of epoch 1 that has written `changed` as a whole in its run 1, and lost the shard then. */
  async deposedBeforeSweep(changed: Row): Promise<Checkpoint> {
    const store = await this.open(1, { onLost: () => {} });
    store.close();
    const checkpoint = new Checkpoint(this.table, this.#silo, SHARD);
    await checkpoint.claim(1);
    const run = (await checkpoint.begin(0, 0)) ?? 0;
    await checkpoint.write([{ avatar: changed.avatar, rows: [changed], isWhole: true }], run);
    await checkpoint.finish(run, { seq: 1, epoch: 1 });
    return checkpoint;
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
