/**
 * What a sleeping avatar's first turn takes, in which it looks through its history: with the shard's file at its host, and
 * with the host's disk lost, so that all its rows come from DynamoDB. Timed where the caller is, so the way over the bus and
 * back is in it; the same call to the avatar that is now awake says what is not waking.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { canonicalFeedUrl, FIRST_SILO, SHARDS, type Shard, shardOf } from "@tidings/protocol";
import { Checkpoint, Leases, rowsOf, Table, withPrefix } from "@tidings/store";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { HISTORY } from "../services/avatar-host/src/user-avatar/rows.ts";
import { AvatarCaller } from "./avatar-caller.ts";
import { type Figure, percentile } from "./figures.ts";
import { Seed, shardPath } from "./seed.ts";

const WARM_UP = 20;
const SLEEPERS = 200;
const ITEMS = 100;
const HOST = "h1";
const STOP_GRACE_MS = 10_000;
const TELL_EVERY_SHARDS = 16;

const users = Array.from({ length: WARM_UP + SLEEPERS }, (_, at) => `sleeper${at}`);
const sleepers = users.slice(WARM_UP);
const FEED = canonicalFeedUrl("http://127.0.0.1:9/activation.rss");

/** Writes users with a hundred items in their histories into the files of the one host. */
export async function seedSleepers(home: string, domain: string): Promise<Seed> {
  const seed = new Seed(domain);
  await seed.add({ names: users, follow: [FEED], arePresent: false, items: ITEMS });
  seed.write(home, [HOST]);
  return seed;
}

/** Wakes all of them from the files, then, after the files are lost, from DynamoDB. */
export async function measureActivation(tell: Tell, stack: Stack, seed: Seed): Promise<Figure[]> {
  const caller = await AvatarCaller.connect(stack, () => seed.session);
  await caller.settled([HOST]);
  tell(`waking ${SLEEPERS} avatars from the files`);
  const fromDisk = await wakeAll(caller);
  const rawDisk = sleepers.map((user) => readFileMs(stack.home, user));
  tell("stopping the host, losing its disk, filling the checkpoints; this takes a minute or two");
  await stack.service(`avatar-host-${HOST}`).stop(STOP_GRACE_MS);
  await rm(join(stack.home, "hosts", HOST), { recursive: true });
  const table = new Table({ endpoint: stack.dynamoEndpoint });
  const rows = await fillCheckpoints(tell, table, seed);
  tell(`${rows} rows are in DynamoDB, starting the host`);
  await stack.service(`avatar-host-${HOST}`).start();
  await caller.settled([HOST]);
  tell(`waking ${SLEEPERS} avatars from DynamoDB`);
  const fromTable = await wakeAll(caller);
  const rawTable: number[] = [];
  for (const user of sleepers) rawTable.push(await readTableMs(table, user));
  table.stop();
  await caller.stop();
  return [
    ...figuresOf({ from: "file", ...fromDisk, raw: rawDisk, rawWhat: "the history's rows", mostMs: 5 }),
    ...figuresOf({ from: "DynamoDB", ...fromTable, raw: rawTable, rawWhat: "all its rows", mostMs: 50 }),
  ];
}

interface Waking {
  /** First call, to the sleeping avatar, and second one, to the awake one (milliseconds). */
  readonly asleep: number[];
  readonly awake: number[];
}

async function wakeAll(caller: AvatarCaller): Promise<Waking> {
  for (const user of users.slice(0, WARM_UP)) await caller.searchMs(user);
  const waking: Waking = { asleep: [], awake: [] };
  for (const user of sleepers) {
    waking.asleep.push(await caller.searchMs(user));
    waking.awake.push(await caller.searchMs(user));
  }
  return waking;
}

function readFileMs(home: string, user: string): number {
  const file = new DatabaseSync(shardPath(home, HOST, shardOf(user)), { readOnly: true });
  const statement = file.prepare("SELECT key, value FROM rows WHERE avatar = ? AND key >= ? AND key < ?");
  const { from, to } = withPrefix(HISTORY);
  const startedAt = performance.now();
  const rows = statement.all(user, from, to);
  const tookMs = performance.now() - startedAt;
  file.close();
  if (rows.length !== ITEMS) throw new Error(`${user} has ${rows.length} rows in the file`);
  return tookMs;
}

async function readTableMs(table: Table, user: string): Promise<number> {
  const startedAt = performance.now();
  const items = await Array.fromAsync(table.query(`C#${FIRST_SILO}#${shardOf(user)}#${user}`));
  const rows = rowsOf(items, new Set()).entries.length;
  if (rows <= ITEMS) throw new Error(`${user} has ${rows} rows in the table`);
  return performance.now() - startedAt;
}

/** Writes the avatars' rows into the checkpoints, up to the end of each journal. Nobody owns a shard meanwhile. */
async function fillCheckpoints(tell: Tell, table: Table, seed: Seed): Promise<number> {
  const epochs = new Map(
    (await new Leases(table, FIRST_SILO).leases()).map(({ shard, epoch }) => [shard, epoch]),
  );
  let count = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    count += await fillCheckpoint(table, seed, shard, epochs.get(shard) ?? 1);
    if ((shard + 1) % TELL_EVERY_SHARDS === 0) tell(`the checkpoints of ${shard + 1} shards are written`);
  }
  return count;
}

async function fillCheckpoint(table: Table, seed: Seed, shard: Shard, epoch: number): Promise<number> {
  const checkpoint = new Checkpoint(table, FIRST_SILO, shard);
  await checkpoint.claim(epoch);
  const run = await checkpoint.begin(Date.now(), performance.now());
  if (run === null) throw new Error(`the checkpoints of shard ${shard} are held`);
  const rows = [...seed.rows(shard)].filter(({ avatar }) => !avatar.startsWith("_"));
  const pieces = [...Map.groupBy(rows, ({ avatar }) => avatar)].map(([avatar, theirs]) => ({
    avatar,
    rows: theirs,
    isWhole: true,
  }));
  await checkpoint.write(pieces, run);
  for await (const { sk } of table.query(`J#${FIRST_SILO}#${shard}`, { reverse: true, limit: 1 })) {
    await checkpoint.finish(run, { seq: Number(sk?.S), epoch });
    break;
  }
  return rows.length;
}

interface Measured extends Waking {
  readonly from: string;
  readonly raw: readonly number[];
  readonly rawWhat: string;
  readonly mostMs: number;
}

function figuresOf({ from, asleep, awake, raw, rawWhat, mostMs }: Measured): Figure[] {
  const beside = `${SLEEPERS} avatars with ${ITEMS} items each, one after the other`;
  const rawOf = (p: number) => percentile(raw, p);
  return [
    {
      name: `first turn from ${from} p50`,
      value: percentile(asleep, 0.5),
      unit: "ms",
      target: { most: mostMs },
      raw: rawOf(0.5),
      beside,
    },
    {
      name: `first turn from ${from} p99`,
      value: percentile(asleep, 0.99),
      unit: "ms",
      raw: rawOf(0.99),
      beside: `raw: ${rawWhat} by one query`,
    },
    {
      name: "  the next turn p50",
      value: percentile(awake, 0.5),
      unit: "ms",
      beside: "awake by then: the bus and the search",
    },
  ];
}
