import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiskError } from "@tidings/store";

/** What the file of a new shard needs at least, its write-ahead log included (bytes). */
const NEEDED_BYTES = 262_144;

/** Throws {@link DiskError} when the disk under `folder` has no room for the file of one more shard. */
export function probeDisk(folder: string): void {
  const path = join(folder, "probe");
  try {
    writeFileSync(path, new Uint8Array(NEEDED_BYTES), { mode: 0o600 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiskError(`${folder} takes no file (${why}); make room on its disk, or repair it`, { cause });
  } finally {
    rmSync(path, { force: true });
  }
}
