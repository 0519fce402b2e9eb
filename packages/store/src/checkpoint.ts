/**
 * The rows themselves in DynamoDB, written behind the journal: what a shard is rebuilt from, avatar by avatar, on a host
 * that has no file of it. They are written in runs (`checkpoint-state.ts`), as pieces (`pieces.ts`). Those of void runs do
 * not count, so a late write of a deposed owner, or one that was thought to have failed, changes nothing.
 *
 *     C#<silo>#<shard>            #position   {seq, epoch, owner, run, …}   the journal up to seq is in the checkpoints
 *     C#<silo>#<shard>#<avatar>   #<run>…     {run, blob, …}                what that run has changed
 */
import { begun, type CheckpointState, claimed, finished, held, itemOf, stateOf } from "./checkpoint-state.ts";
import { DeposedError } from "./journal.ts";
import { itemsOf, type Piece, rowsOf, runKey, type Stored } from "./pieces.ts";
import type { Position } from "./protocol/record.ts";
import type { Item, PlacedItem, Table } from "./table.ts";

const POSITION = "#position";
/** Most bytes of the blobs in one request; DynamoDB takes 16 MB, and whoever answers is busy with it meanwhile. */
const REQUEST_BYTES = 1_000_000;
/** Longest time for which a back-up may hold the rows (milliseconds). */
export const HOLD_MS = 600_000;

export class Checkpoint {
  readonly #table: Table;
  readonly #pk: string;
  #epoch = 0;
  /** Pieces written in the run that has begun last. */
  #pieces = 0;
  /** A piece of one of these does not count. Runs become void before an owner reads, and by its own failures. */
  #voidRuns: ReadonlySet<number> = new Set();
  /** The hold that was seen last, and since when, on the own monotonic clock. */
  #hold = { untilAt: 0, sinceMs: 0 };

  constructor(table: Table, silo: string, shard: number) {
    this.#table = table;
    this.#pk = `C#${silo}#${shard}`;
  }

  /** How far the checkpoints are. */
  async state(): Promise<CheckpointState> {
    return this.#note(stateOf(await this.#table.get(this.#pk, POSITION)));
  }

  /**
   * Makes `epoch` the one that writes checkpoints, and resolves with how far they are: from now on nobody else moves that.
   * May be repeated. Rejects with {@link DeposedError} when a higher epoch has claimed them.
   */
  async claim(epoch: number): Promise<CheckpointState> {
    this.#epoch = epoch;
    return (await this.#change((state) => claimed(state, epoch))) as CheckpointState;
  }

  /**
   * Begins a run: its number, or null while a back-up holds the rows. `nowAt` is epoch milliseconds, `nowMs` the own monotonic
   * clock: a wall clock that was set back does not make a hold longer than {@link HOLD_MS}. Rejects with {@link DeposedError}.
   */
  async begin(nowAt: number, nowMs: number): Promise<number | null> {
    const state = await this.#change((found) =>
      nowAt < found.holdUntilAt && this.#isHeld(found.holdUntilAt, nowMs) ? null : begun(found),
    );
    this.#pieces = 0;
    return state?.run ?? null;
  }

  #isHeld(untilAt: number, nowMs: number): boolean {
    if (this.#hold.untilAt !== untilAt) this.#hold = { untilAt, sinceMs: nowMs };
    return nowMs - this.#hold.sinceMs < HOLD_MS;
  }

  /** Writes `pieces` in `run`. Rejects as the table does: then the run has failed. */
  async write(pieces: Iterable<Piece>, run: number): Promise<void> {
    let items: PlacedItem[] = [];
    let bytes = 0;
    for (const piece of pieces) {
      const pk = `${this.#pk}#${piece.avatar}`;
      for (const { sk, item } of itemsOf(piece, run, this.#pieces++)) {
        bytes += item.blob?.B?.length ?? 0;
        items.push({ pk, sk, item });
        if (bytes < REQUEST_BYTES) continue;
        await this.#table.putAll(items);
        [items, bytes] = [[], 0];
      }
    }
    await this.#table.putAll(items);
  }

  /**
   * Removes what does not count any more since `run`, which has ended, wrote the whole of an avatar: also that, when it has no
   * rows. What later runs have written stays, should this owner have been deposed meanwhile.
   */
  async sweep(avatar: string, run: number, hasRows: boolean): Promise<void> {
    const pk = `${this.#pk}#${avatar}`;
    const own = runKey(run);
    const over: string[] = [];
    for await (const { sk } of this.#table.query(pk, { keysOnly: true })) {
      const key = sk?.S ?? "";
      if (key < own || !key.startsWith("#") || (!hasRows && key.startsWith(own))) over.push(key);
    }
    await this.#table.delete(pk, over);
  }

  /** Ends `run`: everything up to `position` is written. False when the run has become void meanwhile. */
  async finish(run: number, position: Position): Promise<boolean> {
    const state = await this.#change((found) =>
      found.isOpen && found.run === run ? finished(found, position) : null,
    );
    return state !== null;
  }

  /** Lets no run begin, and voids one that is open, until `untilAt` (epoch milliseconds; 0 lets them go on). */
  async hold(untilAt: number): Promise<CheckpointState> {
    this.#epoch = Number.POSITIVE_INFINITY;
    return (await this.#change((state) => held(state, untilAt))) as CheckpointState;
  }

  /** What there is of one avatar, also what does not count. */
  items(avatar: string): AsyncGenerator<Item> {
    return this.#table.query(`${this.#pk}#${avatar}`);
  }

  /** The rows of one avatar. */
  async read(avatar: string): Promise<Stored> {
    return rowsOf(await Array.fromAsync(this.items(avatar)), this.#voidRuns);
  }

  /** Changes the state as it is found, or leaves it and resolves to null when `change` says so. */
  async #change(change: (state: CheckpointState) => CheckpointState | null): Promise<CheckpointState | null> {
    for (;;) {
      const item = await this.#table.get(this.#pk, POSITION);
      const state = this.#note(stateOf(item));
      if (state.owner > this.#epoch) throw new DeposedError(`epoch ${state.owner} writes the checkpoints`);
      const next = change(state);
      if (next === null) return null;
      // An item of the first release has no stamp; its sequence serves as one.
      const field = item !== undefined && item.stamp === undefined ? "seq" : "stamp";
      if (await this.#table.replaceIf(this.#pk, POSITION, field, item?.[field], itemOf(next)))
        return this.#note(next);
    }
  }

  #note(state: CheckpointState): CheckpointState {
    this.#voidRuns = new Set(state.voidRuns);
    return state;
  }
}
