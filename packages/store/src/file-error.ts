/** What SQLite says of a shard's file, in two kinds, because they have two ways out. */

/** The file does not hold what was written to it: it is removed, and rebuilt from DynamoDB. */
export class TornFileError extends Error {
  override readonly name = "TornFileError";
}

/** The disk does not take or give what is asked of it; the file itself may be good. */
export class DiskError extends Error {
  override readonly name = "DiskError";
}

/** SQLITE_ERROR (a table of another layout), SQLITE_CORRUPT, SQLITE_NOTADB: https://www.sqlite.org/rescode.html */
const TORN = [1, 11, 26];

/** `error` of SQLite on the file at `path` as one of the two kinds, with the way out; other errors as they come. */
export function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  // The lower byte is the primary code.
  if (TORN.includes(Number(error.errcode) & 0xff))
    return new TornFileError(`${path} is torn (${error.message})`, { cause: error });
  return new DiskError(
    `${path} cannot be read or written (${error.message}); make room on its disk, or repair it. Nothing is lost: ` +
      "what was acknowledged is in DynamoDB",
    { cause: error },
  );
}
