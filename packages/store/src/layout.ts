/**
 * Which layout the table has: `L#` / `layout` {version, restoring?}. A version that does not know it must not touch the table.
 */
import type { Table } from "./table.ts";

/** Layout of the table that this version writes. Raised when an older version could not read it any more. */
export const TABLE_LAYOUT = 3;

/** The table, or something in it, is not for this version, or not ready. `message` says what to do. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
}

const PK = "L#";
const SK = "layout";

/**
 * Stamps the table with this version's layout if it has none. Rejects with {@link LayoutError} when it is of a later version,
 * or when a restore into it was not finished; then nothing has been changed.
 */
export async function checkLayout(table: Table): Promise<void> {
  const restoring = await readLayout(table);
  if (restoring !== null)
    throw new LayoutError(
      "a back-up is being restored into the table, or that was broken off; finish it with `bin/tidings restore`",
    );
  await table.put(PK, SK, { version: { N: String(TABLE_LAYOUT) } });
}

/** The back-up that is being restored into the table, or null. Rejects with {@link LayoutError} for a later version. */
export async function readLayout(table: Table): Promise<string | null> {
  const item = await table.get(PK, SK);
  const version = Number(item?.version?.N ?? TABLE_LAYOUT);
  if (version > TABLE_LAYOUT)
    throw new LayoutError(
      `the table belongs to a later version of Tidings (its layout is ${version}, this version knows ${TABLE_LAYOUT}); ` +
        "update Tidings, or use another table",
    );
  return item?.restoring?.S ?? null;
}

/** Notes that the back-up `id` is being restored, or with null that nothing is. */
export async function noteRestore(table: Table, id: string | null): Promise<void> {
  const version = { N: String(TABLE_LAYOUT) };
  await table.put(PK, SK, id === null ? { version } : { version, restoring: { S: id } });
}
