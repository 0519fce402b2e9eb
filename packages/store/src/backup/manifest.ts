/** What a back-up folder holds: `manifest.json`, written last, and one SQLite file for each shard. */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TABLE_LAYOUT } from "../layout.ts";

/** A back-up that cannot be made or used. `message` says what to do. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

export interface ShardEntry {
  readonly shard: number;
  readonly file: string;
  readonly seq: number;
  /** No epoch of the shard was higher when the back-up was made. */
  readonly epoch: number;
  readonly rows: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly id: string;
  readonly layout: number;
  readonly silo: string;
  /** Epoch milliseconds. */
  readonly madeAt: number;
  readonly shards: readonly ShardEntry[];
}

const NAME = "manifest.json";

export function writeManifest(folder: string, manifest: Manifest): void {
  writeFileSync(join(folder, NAME), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flag: "wx" });
}

/** The manifest of a whole back-up. Rejects with {@link BackupError} when anything is missing or not as it was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  const manifest = parse(folder);
  if (manifest.layout > TABLE_LAYOUT)
    throw new BackupError(
      `${folder} was made by a later version of Tidings; update Tidings, then restore it`,
    );
  for (const { file, sha256 } of manifest.shards) {
    const found = await sumOf(join(folder, file)).catch(() => "missing");
    if (found !== sha256)
      throw new BackupError(`${join(folder, file)} is missing or not as it was written; use another back-up`);
  }
  return manifest;
}

/** SHA-256 of a file, in hexadecimal. */
export async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function parse(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, NAME), "utf8")) as Manifest;
  } catch (cause) {
    throw new BackupError(
      `${folder} holds no whole back-up (its ${NAME} is missing or torn); use another back-up`,
      { cause },
    );
  }
}
