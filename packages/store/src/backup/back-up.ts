/**
 * A back-up of one silo while its hosts run: hold the checkpoints ▶ read their rows ▶ read the journals twice, to find the
 * cut and to apply what is before it ▶ see that nothing has moved. Why that is consistent: ADR 11.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "@tidings/runtime";
import { Checkpoint, HOLD_MS } from "../checkpoint.ts";
import type { CheckpointState } from "../checkpoint-state.ts";
import { decodeGroup } from "../group-codec.ts";
import { Journal } from "../journal.ts";
import { readLayout, TABLE_LAYOUT } from "../layout.ts";
import { Leases } from "../leases.ts";
import { LocalFile } from "../local-file.ts";
import { rowsOf } from "../pieces.ts";
import { type Row, withPrefix } from "../rows.ts";
import type { Item, Table } from "../table.ts";
import { consistentCut, linksOf, type Trail } from "./cut.ts";
import { BackupError, type Manifest, type ShardEntry, sumOf, writeManifest } from "./manifest.ts";

export interface BackUpOptions {
  readonly table: Table;
  readonly silo: string;
  /** How many shards the silo has. */
  readonly shards: number;
  /** A new or empty folder. */
  readonly folder: string;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly nowAt: number;
}

interface Part {
  readonly shard: number;
  readonly checkpoint: Checkpoint;
  readonly journal: Journal;
  readonly state: CheckpointState;
  readonly file: LocalFile;
}

/** Writes the back-up into `folder`. Rejects with {@link BackupError} or {@link LayoutError}; then the folder holds none. */
export async function backUp(options: BackUpOptions): Promise<Manifest> {
  const { table, folder, nowAt, silo } = options;
  await readLayout(table);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new BackupError(`${folder} is not empty; name a new folder`);
  const parts: Part[] = [];
  try {
    for (let shard = 0; shard < options.shards; shard++) parts.push(await begin(options, shard));
    await readRows(table, silo, parts);
    await applyJournals(parts);
    const entries = await finish(options, parts);
    const manifest = { id: randomUUID(), layout: TABLE_LAYOUT, silo, madeAt: nowAt, shards: entries };
    writeManifest(folder, manifest);
    return manifest;
  } finally {
    for (const { file } of parts) file.close();
    for (const { checkpoint } of parts) await checkpoint.hold(0);
  }
}

async function begin({ table, silo, folder, nowAt, log }: BackUpOptions, shard: number): Promise<Part> {
  const checkpoint = new Checkpoint(table, silo, shard);
  const state = await checkpoint.hold(nowAt + HOLD_MS);
  const path = join(folder, `${silo}-${shard}.db`);
  const file = LocalFile.open(path, `${silo}#${shard}`, log);
  chmodSync(path, 0o600);
  file.markComplete();
  return { shard, checkpoint, journal: new Journal(table, silo, shard), state, file };
}

/** What the checkpoints have of one avatar. */
interface Found {
  readonly pk: string;
  readonly items: Item[];
}

async function readRows(table: Table, silo: string, parts: readonly Part[]): Promise<void> {
  const prefix = `C#${silo}#`;
  const done = new Set<string>();
  for await (const found of byAvatar(table.scan(prefix))) {
    await keep(found, prefix, parts, done.has(found.pk));
    done.add(found.pk);
  }
}

/** Items that follow each other and are of one avatar. */
async function* byAvatar(scanned: AsyncIterable<Item>): AsyncGenerator<Found> {
  let found: Found = { pk: "", items: [] };
  for await (const item of scanned) {
    const pk = item.pk?.S ?? "";
    if (found.pk !== pk && found.items.length > 0) yield found;
    if (found.pk !== pk) found = { pk, items: [] };
    found.items.push(item);
  }
  if (found.items.length > 0) yield found;
}

/** A scan promises no order. Should an avatar's items not have come in one go, it is read by itself. */
async function keep(
  { pk, items }: Found,
  prefix: string,
  parts: readonly Part[],
  isTorn: boolean,
): Promise<void> {
  const [, number = "", avatar] = /^(\d+)#(.*)$/s.exec(pk.slice(prefix.length)) ?? [];
  const part = parts[Number(number)];
  if (avatar === undefined || part === undefined) return;
  const { file, state, checkpoint } = part;
  const sorted = items.toSorted((a, b) => ((a.sk?.S ?? "") < (b.sk?.S ?? "") ? -1 : 1));
  const { entries } = isTorn ? await checkpoint.read(avatar) : rowsOf(sorted, new Set(state.voidRuns));
  const before = isTorn ? file.list(avatar, withPrefix("")) : [];
  const gone = before.map(({ key }): Row => ({ avatar, key, value: null }));
  file.apply([...gone, ...entries.map((entry) => ({ avatar, ...entry }))], state);
}

async function applyJournals(parts: readonly Part[]): Promise<void> {
  const trails = new Map<number, Trail>();
  for (const part of parts) trails.set(part.shard, await trailOf(part));
  for (const [shard, count] of consistentCut(trails)) {
    const part = parts[shard] as Part;
    const last = trails.get(shard)?.steps[count - 1]?.seq ?? 0;
    for await (const { seq, epoch, blob } of part.journal.read(part.state)) {
      if (seq > last) break;
      part.file.apply(decodeGroup(blob), { seq, epoch });
    }
  }
}

async function trailOf({ shard, journal, state, file }: Part): Promise<Trail> {
  const own = file.list(`_${shard}`, withPrefix("")).map((entry) => ({ avatar: `_${shard}`, ...entry }));
  const steps: Trail["steps"][number][] = [];
  for await (const { seq, blob } of journal.read(state)) {
    steps.push({ seq, links: linksOf(shard, decodeGroup(blob)) });
  }
  return { start: linksOf(shard, own), steps };
}

/** Sees that all has stayed as it was while it was read, and closes the files. */
async function finish({ table, silo }: BackUpOptions, parts: readonly Part[]): Promise<ShardEntry[]> {
  const entries: ShardEntry[] = [];
  const leases = await new Leases(table, silo).leases();
  for (const { shard, checkpoint, state, file } of parts) {
    const now = await checkpoint.state();
    if (now.seq !== state.seq || now.run !== state.run)
      throw new BackupError(
        "the back-up took too long, or another one was made at the same time; remove its folder and try again",
      );
    const { seq } = file.position;
    const epoch = Math.max(now.owner, leases.find((lease) => lease.shard === shard)?.epoch ?? 0);
    const rows = file.count();
    file.close();
    const name = `${silo}-${shard}.db`;
    entries.push({ shard, file: name, seq, epoch, rows, sha256: await sumOf(file.path) });
  }
  return entries;
}
