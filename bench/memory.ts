/**
 * What avatars cost in memory: a host's 64 shards in this process, on a table in memory, so that the heap can be collected
 * and read. First nobody is registered, then a million users who all sleep, then some of them are woken.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addressesOf, FIRST_SILO, SHARDS, shardOf } from "@tidings/protocol";
import { Background, silentLog } from "@tidings/runtime";
import { MemoryTable } from "@tidings/testkit";
import type { Tell } from "../run/supervised.ts";
import { AwakeAvatars } from "../services/avatar-host/src/shard/awake-avatars.ts";
import { Shard } from "../services/avatar-host/src/shard/shard.ts";
import { UserAvatar } from "../services/avatar-host/src/user-avatar/user-avatar.ts";
import type { Figure } from "./figures.ts";
import { Seed, shardPath } from "./seed.ts";

const REGISTERED = 1_000_000;
const WOKEN = 20_000;
const DOMAIN = "tidings.localhost";
const EVERYBODY_MAY_BE_AWAKE = { idleMs: 3_600_000, mostBytes: 10_000_000_000 };

interface Host {
  readonly shards: readonly Shard[];
  readonly awake: AwakeAvatars;
  readonly startMs: number;
}

/** Bytes for each avatar asleep and awake, and how long a host takes to open its shards with and without them. */
export async function measureMemory(tell: Tell): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), "tidings-bench-"));
  try {
    const empty = await started(home);
    const withoutBytes = heapBytes();
    closeAll(empty);
    await rm(join(home, "hosts"), { recursive: true });
    const users = Array.from({ length: REGISTERED }, (_, at) => `user${at}`);
    tell(`registering ${REGISTERED} users; this takes a minute or two`);
    const seedingAt = performance.now();
    const session = await seed(home, users);
    const seedMs = performance.now() - seedingAt;
    const namesBytes = heapBytes() - withoutBytes;
    tell("opening their shards");
    const full = await started(home);
    const asleepBytes = heapBytes() - withoutBytes - namesBytes;
    tell(`waking ${WOKEN} avatars`);
    await wake(full, users.slice(0, WOKEN), session);
    if (full.awake.count !== WOKEN) throw new Error(`${full.awake.count} of ${WOKEN} avatars are awake`);
    const awakeBytes = heapBytes() - withoutBytes - namesBytes - asleepBytes;
    closeAll(full);
    return [
      {
        name: "heap for each sleeping avatar",
        value: asleepBytes / REGISTERED,
        unit: "B",
        target: { most: 1 },
      },
      { name: "heap for each awake avatar", value: awakeBytes / WOKEN, unit: "B", target: { most: 4_096 } },
      { name: "opening 64 empty shards", value: empty.startMs, unit: "ms" },
      {
        name: `opening them with ${REGISTERED} avatars`,
        value: full.startMs,
        unit: "ms",
        target: { most: 2 * empty.startMs },
        raw: empty.startMs,
        beside: "raw: without",
      },
      { name: "setting up", value: seedMs / 1_000, unit: "s" },
    ];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function seed(home: string, names: readonly string[]): Promise<string> {
  const seeded = new Seed(DOMAIN);
  await seeded.add({ names, follow: [], arePresent: false });
  seeded.write(home, ["h1"]);
  return seeded.session;
}

async function started(home: string): Promise<Host> {
  await mkdir(join(home, "hosts", "h1"), { recursive: true });
  const table = new MemoryTable();
  const awake = new AwakeAvatars(EVERYBODY_MAY_BE_AWAKE);
  const background = new Background();
  const startedAt = performance.now();
  const shards: Shard[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    shards.push(await opened(shardPath(home, "h1", shard), shard, { table, awake, background }));
  }
  return { shards, awake, startMs: performance.now() - startedAt };
}

async function opened(
  path: string,
  number: number,
  parts: { table: MemoryTable; awake: AwakeAvatars; background: Background },
): Promise<Shard> {
  const addresses = addressesOf(DOMAIN);
  const shard = await Shard.open({
    host: "h1",
    ...parts,
    silo: FIRST_SILO,
    siloDomain: addresses.silo,
    shard: number,
    epoch: 1,
    path,
    log: silentLog(),
    agents: addresses,
    web: addresses.web,
    send: () => {},
    publishJob: () => {},
    createAvatar: (_, made) => new UserAvatar(addresses, made.agents),
    onLost: (error) => {
      throw error;
    },
  });
  shard.serve();
  return shard;
}

/** Each of the users' avatars answers a question about its history. */
async function wake({ shards }: Host, users: readonly string[], session: string): Promise<void> {
  for (const user of users) {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    shards[shardOf(user)]?.onCall(user, {
      name: "profile",
      op: null,
      args: {},
      authority: { session },
      fromDomain: addressesOf(DOMAIN).web,
      reply: resolve,
      refuse: reject,
    });
    await promise;
  }
}

function closeAll({ shards }: Host): void {
  for (const shard of shards) shard.close();
}

/** What is alive in the heap after it was collected. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
