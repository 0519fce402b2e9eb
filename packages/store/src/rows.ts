/** A row of an avatar: ordered by key within its avatar. `null` = deleted. */
export interface Row {
  readonly avatar: string;
  readonly key: string;
  readonly value: string | null;
}

/** How large rows are in a journal record, roughly (characters). */
export function sizeOf(rows: readonly Row[]): number {
  let chars = 0;
  for (const { key, value } of rows) chars += key.length + (value?.length ?? 0) + 16;
  return chars;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
}

/** Keys from `from` (included) to `to` (not included), at most `limit`, from the end when `reverse`. */
export interface Range {
  readonly from: string;
  readonly to: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** All keys that begin with `prefix`. */
export function withPrefix(prefix: string, rest: { limit?: number; reverse?: boolean } = {}): Range {
  return { from: prefix, to: `${prefix}\uffff`, ...rest };
}

/** One key alone. */
export function onlyKey(key: string): Range {
  return { from: key, to: `${key}\0` };
}
