/**
 * The raw limit of a fan-out: as many rows into bare SQLite files, as many records as bare table writes, and as many frames
 * over the bare bus, one after the other, by one process that does nothing else.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hostAddress, SHARDS, xml } from "@tidings/protocol";
import { Table } from "@tidings/store";
import type { Stack } from "../run/stack.ts";
import { component, receiver } from "./raw-limits.ts";

export interface Amounts {
  readonly rows: number;
  /** Average of a row's name, key and value. */
  readonly rowBytes: number;
  readonly records: number;
  readonly recordBytes: number;
  readonly stanzas: number;
  readonly stanzaBytes: number;
}

export interface BareTimes {
  readonly sqliteMs: number;
  readonly tableMs: number;
  readonly busMs: number;
}

const ROWS_AT_ONCE = 1_000;
/** A host writes the journals of its shards at the same time. */
const PUTS_AT_ONCE = 64;
/** Few enough not to pile up in a mailbox of ejabberd. */
const ON_THE_WAY = 200;

/** Writes, puts and sends the same amounts. */
export async function measureBareFanOut(stack: Stack, amounts: Amounts): Promise<BareTimes> {
  return {
    sqliteMs: await bareSqliteMs(amounts),
    tableMs: await bareTableMs(stack, amounts),
    busMs: await bareBusMs(stack, amounts),
  };
}

async function bareSqliteMs({ rows, rowBytes }: Amounts): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "tidings-bench-"));
  const files = Array.from({ length: SHARDS }, (_, at) => {
    const db = new DatabaseSync(join(folder, `${at}.db`));
    db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
      CREATE TABLE rows (avatar TEXT, key TEXT, value TEXT, PRIMARY KEY (avatar, key)) WITHOUT ROWID`);
    return { db, put: db.prepare("INSERT INTO rows VALUES (?, ?, ?)") };
  });
  const value = "x".repeat(Math.max(1, Math.round(rowBytes) - 20));
  const startedAt = performance.now();
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    const { db, put } = files[(from / ROWS_AT_ONCE) % SHARDS] as (typeof files)[number];
    db.exec("BEGIN");
    for (let row = from; row < Math.min(rows, from + ROWS_AT_ONCE); row++)
      put.run(`fan${row}`, "i/bare", value);
    db.exec("COMMIT");
  }
  const tookMs = performance.now() - startedAt;
  for (const { db } of files) db.close();
  await rm(folder, { recursive: true });
  return tookMs;
}

async function bareTableMs(stack: Stack, { records, recordBytes }: Amounts): Promise<number> {
  const table = new Table({ endpoint: stack.dynamoEndpoint });
  const item = { blob: { B: Buffer.alloc(Math.round(recordBytes), 7) } };
  const pk = `bench#${randomUUID()}`;
  let slot = 0;
  const startedAt = performance.now();
  const worker = async () => {
    while (slot < records) await table.putIfAbsent(pk, String(slot++), item);
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, worker));
  const tookMs = performance.now() - startedAt;
  table.stop();
  return tookMs;
}

/** Both ends are components of the avatars cluster, as two hosts are. */
async function bareBusMs(stack: Stack, { stanzas, stanzaBytes }: Amounts): Promise<number> {
  const from = await component(stack, "avatars", hostAddress(stack.domain, "h15"));
  const to = await component(stack, "avatars", hostAddress(stack.domain, "h16"));
  const received = receiver(to);
  const body = xml("body", {}, "x".repeat(Math.round(stanzaBytes)));
  const stanza = xml("message", { type: "normal", from: from.address, to: to.address }, body);
  const startedAt = performance.now();
  for (let sent = 0; sent < stanzas; sent++) {
    if (sent % 50 === 0) await received.atLeast(sent - ON_THE_WAY);
    void from.send(stanza);
  }
  await received.atLeast(stanzas);
  const tookMs = performance.now() - startedAt;
  await Promise.all([from.stop(), to.stop()]);
  return tookMs;
}
