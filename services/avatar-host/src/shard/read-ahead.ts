/**
 * What an avatar reads when it wakes, in one question to the store instead of ten: a source with 100,000 subscribers wakes
 * them all, and half of the host's time went into asking SQLite for rows, most of which are not there.
 */
import { type Entry, onlyKey, type Range } from "@tidings/store";
import type { AwakeAvatar } from "./awake-avatars.ts";
import type { Cause } from "./stimulus.ts";
import type { RowReader } from "./turn.ts";

/** A store that can be asked for several ranges at once; null when it would have to be asked for each. */
export interface AheadReader extends RowReader {
  listSeveral(avatar: string, ranges: readonly Range[]): Entry[] | null;
}

/** What the next turn of the avatar called `name` reads from: what was read ahead, when it has just been woken by `cause`. */
export function readerFor(
  name: string,
  { avatar, memory }: AwakeAvatar,
  cause: Cause,
  store: AheadReader,
): RowReader {
  const ranges = memory.size === 0 ? avatar.wakingRows?.(cause) : undefined;
  const entries = ranges === undefined ? null : store.listSeveral(name, ranges);
  return ranges === undefined || entries === null ? store : new ReadAhead(store, ranges, entries);
}

/** True for one turn only: what is written after it is not here. */
class ReadAhead implements RowReader {
  readonly #store: RowReader;
  readonly #ranges: readonly Range[];
  readonly #entries: readonly Entry[];

  constructor(store: RowReader, ranges: readonly Range[], entries: readonly Entry[]) {
    [this.#store, this.#ranges, this.#entries] = [store, ranges, entries];
  }

  get(avatar: string, key: string): string | undefined {
    const found = this.#entries.find((entry) => entry.key === key);
    if (found !== undefined) return found.value;
    const isRead = this.#ranges.some((read) => covers(read, onlyKey(key)));
    return isRead ? undefined : this.#store.get(avatar, key);
  }

  list(avatar: string, range: Range): Entry[] {
    if (!this.#ranges.some((read) => covers(read, range))) return this.#store.list(avatar, range);
    return this.#entries.filter(({ key }) => key >= range.from && key < range.to);
  }
}

/** Whether all of `range` is in what was read of `read`, in its order. */
function covers(read: Range, range: Range): boolean {
  const isSameEnd = read.limit === range.limit && read.reverse === range.reverse;
  const isWhole = read.limit === undefined && !range.reverse && range.limit === undefined;
  if (isWhole) return read.from <= range.from && range.to <= read.to;
  return isSameEnd && read.from === range.from && read.to === range.to;
}
