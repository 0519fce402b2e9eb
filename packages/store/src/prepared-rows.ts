/**
 * Rows that the next owner of a shard reads from the checkpoints while the present one still serves it. An avatar with a long
 * history takes seconds to read on a busy host, and would be silent for as long when it is first woken there.
 *
 * Invariant: they are used only where the checkpoints stand as they did when reading began. Then they and the journal behind
 * the checkpoints are all there is, as they are for an owner that reads them later.
 */
import { Checkpoint } from "./checkpoint.ts";
import type { CheckpointState } from "./checkpoint-state.ts";
import { rowsOf, type Stored } from "./pieces.ts";
import type { Item, Table } from "./table.ts";

export class PreparedRows {
  readonly #checkpoint: Checkpoint;
  readonly #items = new Map<string, Item[]>();
  #bytesLeft: number;
  #began: CheckpointState | null = null;
  #isOver = false;

  /** `mostBytes` is how much is kept in memory until it is taken (bytes). */
  constructor(table: Table, silo: string, shard: number, mostBytes: number) {
    this.#checkpoint = new Checkpoint(table, silo, shard);
    this.#bytesLeft = mostBytes;
  }

  /** Reads the rows of `avatars`, one after the other, until it is enough or they are taken. Rejects as the table does. Once. */
  async read(avatars: Iterable<string>): Promise<void> {
    this.#began = await this.#checkpoint.state();
    for (const avatar of avatars) {
      const items: Item[] = [];
      for await (const item of this.#checkpoint.items(avatar)) {
        this.#bytesLeft -= item.blob?.B?.length ?? item.value?.S?.length ?? 0;
        if (this.#isOver || this.#bytesLeft < 0) return;
        items.push(item);
      }
      if (!this.#isOver) this.#items.set(avatar, items);
    }
  }

  /** What was read whole, by avatar, for an owner that has found the checkpoints at `claimed`: nothing when they have moved. Once. */
  take(claimed: CheckpointState): ReadonlyMap<string, Stored> {
    const voidRuns = new Set(claimed.voidRuns);
    const read = isSame(this.#began, claimed) ? [...this.#items] : [];
    this.giveUp();
    return new Map(read.map(([avatar, items]) => [avatar, rowsOf(items, voidRuns)]));
  }

  /** Forgets what was read, and reads no more. */
  giveUp(): void {
    this.#isOver = true;
    this.#items.clear();
  }
}

function isSame(began: CheckpointState | null, { seq, epoch, history }: CheckpointState): boolean {
  return began !== null && began.seq === seq && began.epoch === epoch && began.history === history;
}
