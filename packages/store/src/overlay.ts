/**
 * Rows that are newer than the local file: staged ones, which are not in the journal yet, and journalled ones that wait
 * to be written to the file in one go. Reading sees them at once; a turn may run ahead of the journal, its effects not.
 */
import type { Entry, Range, Row } from "./rows.ts";

/** Rows by the first part of their key (`h/`, `seen/` …), because nearly every list is of one such kind. */
type Kinds = Map<string, Map<string, Row>>;

export class Overlay {
  readonly #avatars = new Map<string, Kinds>();

  set(row: Row): void {
    const kinds = entryOf(this.#avatars, row.avatar, (): Kinds => new Map());
    entryOf(kinds, kindOf(row.key), () => new Map<string, Row>()).set(row.key, row);
  }

  /** Whether any row of `avatar` is here. */
  has(avatar: string): boolean {
    return this.#avatars.has(avatar);
  }

  /** The row, a deleted one included; undefined when the file is to be asked. */
  get(avatar: string, key: string): Row | undefined {
    return this.#avatars.get(avatar)?.get(kindOf(key))?.get(key);
  }

  /** Forgets rows that are in the file now, unless newer ones have taken their place. */
  drop(rows: readonly Row[]): void {
    for (const row of rows) {
      const kinds = this.#avatars.get(row.avatar);
      const held = kinds?.get(kindOf(row.key));
      if (held?.get(row.key) !== row) continue;
      held.delete(row.key);
      if (held.size === 0) kinds?.delete(kindOf(row.key));
      if (kinds?.size === 0) this.#avatars.delete(row.avatar);
    }
  }

  /** Entries of `range`, where `read` lists those of the file. */
  list(avatar: string, range: Range, read: (range: Range) => Entry[]): Entry[] {
    const newer = this.#within(avatar, range);
    if (newer.length === 0) return read(range);
    const hidden = new Set(newer.map(({ key }) => key));
    const limit = range.limit === undefined ? {} : { limit: range.limit + hidden.size };
    const older = read({ ...range, ...limit }).filter(({ key }) => !hidden.has(key));
    const merged = [...older, ...newer.filter((row): row is Row & Entry => row.value !== null)];
    merged.sort(range.reverse ? (a, b) => compare(b.key, a.key) : (a, b) => compare(a.key, b.key));
    return range.limit === undefined ? merged : merged.slice(0, range.limit);
  }

  #within(avatar: string, { from, to }: Range): Row[] {
    const kinds = this.#avatars.get(avatar);
    if (kinds === undefined) return [];
    const kind = kindOf(from);
    const isOneKind = kind !== "" && to.startsWith(kind);
    const held = isOneKind ? [kinds.get(kind) ?? new Map<string, Row>()] : [...kinds.values()];
    return held.flatMap((rows) => [...rows.values()].filter(({ key }) => key >= from && key < to));
  }
}

/** The key up to its first slash, the slash included; empty for a key without one. */
function kindOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The order of SQLite's BINARY collation for the keys in use, which are ASCII. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
