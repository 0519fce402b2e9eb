/** Rows in memory, for tests: what a turn reads from, and where its rows go. */
import type { Entry, Range, Row } from "@tidings/store";
import type { RowReader } from "./shard/turn.ts";

export class MemoryRows implements RowReader {
  #avatars = new Map<string, Map<string, string>>();

  get(avatar: string, key: string): string | undefined {
    return this.#avatars.get(avatar)?.get(key);
  }

  list(avatar: string, { from, to, limit, reverse }: Range): Entry[] {
    const inRange: Entry[] = [];
    for (const [key, value] of this.#avatars.get(avatar) ?? []) {
      if (key >= from && key < to) inRange.push({ key, value });
    }
    inRange.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (reverse) inRange.reverse();
    return inRange.slice(0, limit);
  }

  apply(rows: readonly Row[]): void {
    for (const { avatar, key, value } of rows) {
      const held = this.#avatars.get(avatar) ?? new Map<string, string>();
      this.#avatars.set(avatar, held);
      if (value === null) held.delete(key);
      else held.set(key, value);
    }
  }

  copy(): MemoryRows {
    const rows = new MemoryRows();
    for (const [avatar, held] of this.#avatars) rows.#avatars.set(avatar, new Map(held));
    return rows;
  }
}
