/** Brings a back-up into a table that does not hold its silo. One that was broken off can be repeated. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Log } from "@tidings/runtime";
import { Checkpoint } from "../checkpoint.ts";
import { itemOf, stateOf } from "../checkpoint-state.ts";
import { noteRestore, readLayout } from "../layout.ts";
import { Leases } from "../leases.ts";
import { LocalFile } from "../local-file.ts";
import type { Piece } from "../pieces.ts";
import type { Row } from "../rows.ts";
import type { Table } from "../table.ts";
import { BackupError, type Manifest, readManifest, type ShardEntry } from "./manifest.ts";

export interface RestoreOptions {
  readonly table: Table;
  readonly folder: string;
  readonly log: Log;
}

/** Above the epochs of the time after the back-up, which the router may know. It would say so otherwise: a slower start. */
const EPOCHS_BETWEEN = 1_000;
/** Rows in one piece. */
const PIECE_ROWS = 500;
const RUN = 1;

/** Resolves to what was restored. Rejects with {@link BackupError}, before anything is written, when it must not be. */
export async function restore({ table, folder, log }: RestoreOptions): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const underWay = await readLayout(table);
  if (underWay !== manifest.id && (underWay !== null || (await isInUse(table, manifest))))
    throw new BackupError(
      `the table already holds silo ${manifest.silo}, and a restore would mix two histories; stop all avatar hosts and ` +
        "restore into an empty table (the embedded one is the folder dynamodb of the state folder: move it away)",
    );
  await noteRestore(table, manifest.id);
  for (const entry of manifest.shards) await restoreShard(table, manifest.silo, folder, entry, log);
  await noteRestore(table, null);
  return manifest;
}

async function isInUse(table: Table, { silo, shards }: Manifest): Promise<boolean> {
  const leases = new Leases(table, silo);
  if ((await leases.leases()).length > 0 || (await leases.heartbeats()).length > 0) return true;
  for (const { shard } of shards) {
    for await (const _ of table.query(`J#${silo}#${shard}`, { limit: 1 })) return true;
    if ((await table.get(`C#${silo}#${shard}`, "#position")) !== undefined) return true;
  }
  return false;
}

/** Rows, then the end of the journal, a fence, then the position, then the lease: nobody takes the shard before it is whole. */
async function restoreShard(
  table: Table,
  silo: string,
  folder: string,
  { shard, file: name, ...entry }: ShardEntry,
  log: Log,
): Promise<void> {
  const epoch = entry.epoch + EPOCHS_BETWEEN;
  const seq = Math.max(1, entry.seq);
  const pk = `C#${silo}#${shard}`;
  const file = LocalFile.open(join(folder, name), `${silo}#${shard}`, log);
  try {
    await new Checkpoint(table, silo, shard).write(wholes(file.all()), RUN);
  } finally {
    file.close();
  }
  const number = { N: String(epoch) };
  const fence = { epoch: number, id: { S: randomUUID() }, kind: { S: "fence" } };
  await table.put(`J#${silo}#${shard}`, String(seq).padStart(20, "0"), fence);
  const state = { ...stateOf(undefined), seq, epoch, owner: epoch, run: RUN, history: randomUUID() };
  await table.put(pk, "#position", itemOf(state));
  await table.put(`S#${silo}`, String(shard), { epoch: number });
}

/** The rows as pieces: those of one avatar follow each other in a file. */
function* wholes(rows: Iterable<Row>): Generator<Piece> {
  let piece = { avatar: "", rows: [] as Row[], isWhole: true };
  for (const row of rows) {
    const isSame = row.avatar === piece.avatar;
    if (!isSame || piece.rows.length === PIECE_ROWS) {
      if (piece.rows.length > 0) yield piece;
      piece = { avatar: row.avatar, rows: [], isWhole: !isSame };
    }
    piece.rows.push(row);
  }
  if (piece.rows.length > 0) yield piece;
}
