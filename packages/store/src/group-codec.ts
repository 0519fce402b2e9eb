/**
 * One group commit as bytes: the distinct values once, then the rows that refer to them by position. A notification told
 * to 150 users of a shard stands in it once; zstd at its fastest level does the rest.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LayoutError } from "./layout.ts";
import type { Row } from "./rows.ts";

const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** Below this size compressing costs more than it saves. */
const PLAIN_BYTES = 1_000;
const PLAIN = 0;
const ZSTD = 1;
const MAX_GROUP_BYTES = 64_000_000;

/** `rows` as a blob: one byte that tells the coding, then JSON, compressed or not. */
export function encodeGroup(rows: readonly Row[]): Uint8Array {
  const positions = new Map<string, number>();
  const values: string[] = [];
  const cells: (string | number)[] = [];
  let avatar = "";
  for (const row of rows) {
    cells.push(row.avatar === avatar ? "" : row.avatar, row.key, positionOf(row.value, positions, values));
    avatar = row.avatar;
  }
  const json = Buffer.from(JSON.stringify([values, cells]));
  const body = json.length < PLAIN_BYTES ? json : zstdCompressSync(json, FAST);
  return Buffer.concat([Buffer.of(json.length < PLAIN_BYTES ? PLAIN : ZSTD), body]);
}

/** The rows of a blob, in order. Throws when it is none; {@link LayoutError} when a later version has written it. */
export function decodeGroup(blob: Uint8Array): Row[] {
  const coding = blob[0] ?? PLAIN;
  if (coding !== PLAIN && coding !== ZSTD)
    throw new LayoutError(
      `the journal holds a record in coding ${coding}, which a later version of Tidings has written; update Tidings`,
    );
  const body = blob.subarray(1);
  const json = blob[0] === PLAIN ? body : zstdDecompressSync(body, { maxOutputLength: MAX_GROUP_BYTES });
  const [values, cells] = JSON.parse(Buffer.from(json).toString()) as [string[], (string | number)[]];
  const rows: Row[] = [];
  let avatar = "";
  for (let at = 0; at < cells.length; at += 3) {
    avatar = (cells[at] as string) || avatar;
    const position = cells[at + 2] as number;
    rows.push({
      avatar,
      key: cells[at + 1] as string,
      value: position < 0 ? null : (values[position] as string),
    });
  }
  return rows;
}

function positionOf(value: string | null, positions: Map<string, number>, values: string[]): number {
  if (value === null) return -1;
  let position = positions.get(value);
  if (position === undefined) {
    position = values.push(value) - 1;
    positions.set(value, position);
  }
  return position;
}
