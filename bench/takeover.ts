/**
 * A host is killed while items flow: how long until the avatars of each of its shards answer again, at the host that is
 * left. Its supervisor leaves it dead, or it would take its own shards again at once.
 */
import { setTimeout as pause } from "node:timers/promises";
import { FIRST_SILO, type Shard } from "@tidings/protocol";
import { Checkpoint, Journal, Table } from "@tidings/store";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import type { AvatarCaller } from "./avatar-caller.ts";
import { type Figure, percentile, spread } from "./figures.ts";
import { cpuSince, usesOf } from "./processes.ts";
import { gatherReaders, READERS } from "./readers.ts";

const HOSTS = ["h1", "h2"];
const KILLED = ["h1", "h2", "h1"];
const ITEMS_PER_SECOND = 100;
const FLOWS_BEFORE_MS = 5_000;
const TRY_MS = 500;
const TRY_EVERY_MS = 100;
/** `packages/store` and ADR 10: a heartbeat that stands still for so long belongs to a dead host (milliseconds). */
const LEASE_MS = 10_000;
const GRACE_MS = 1_000;

interface Round {
  readonly timesMs: readonly number[];
  readonly rawMs: number;
  /** Processor time of the host that took over, until the last of the avatars answered. */
  readonly heirCpuMs: number;
}

/** Kills a host three times. */
export async function measureTakeover(tell: Tell, stack: Stack): Promise<Figure[]> {
  tell(`signing ${READERS.length} users up, one in each shard`);
  const { caller, flow: flowAt, close } = await gatherReaders(stack);
  await caller.settled(HOSTS);
  const flow = flowAt(ITEMS_PER_SECOND);
  const rounds: Round[] = [];
  for (const host of KILLED) {
    await pause(FLOWS_BEFORE_MS);
    rounds.push(await killed(tell, stack, caller, host));
    await stack.service(`avatar-host-${host}`).stop(GRACE_MS);
    await stack.service(`avatar-host-${host}`).start();
    await caller.settled(HOSTS);
  }
  const items = await flow.stop();
  await flow.allTold(caller);
  tell(`all of ${items} items were told`);
  await close();
  return rounds.flatMap(figuresOf);
}

async function killed(tell: Tell, stack: Stack, caller: AvatarCaller, host: string): Promise<Round> {
  const shards = await caller.shardsOf(host);
  tell(`killing ${host}, which serves ${shards.length} shards`);
  const before = usesOf(stack.home);
  const startedAt = performance.now();
  stack.service(`avatar-host-${host}`).kill("SIGKILL");
  const [rawMs, timesMs] = await Promise.all([
    readJournalsMs(stack, shards),
    Promise.all(shards.map((shard) => answersAgainMs(caller, shard, startedAt))),
  ]);
  tell(`its avatars answer again after ${(percentile(timesMs, 1) / 1_000).toFixed(1)} s`);
  const heirCpuMs = cpuSince(before, usesOf(stack.home)).get("avatar-host") ?? Number.NaN;
  return { timesMs, rawMs: LEASE_MS + rawMs, heirCpuMs };
}

async function answersAgainMs(caller: AvatarCaller, shard: Shard, startedAt: number): Promise<number> {
  const name = READERS[shard] ?? "";
  while (!(await caller.answers(name, TRY_MS))) await pause(TRY_EVERY_MS);
  return performance.now() - startedAt;
}

/** How long it takes to read the journals of `shards` behind their checkpoints, all at a time. */
async function readJournalsMs({ dynamoEndpoint }: Stack, shards: readonly Shard[]): Promise<number> {
  const table = new Table({ endpoint: dynamoEndpoint });
  const startedAt = performance.now();
  await Promise.all(
    shards.map(async (shard) => {
      const from = await new Checkpoint(table, FIRST_SILO, shard).state();
      for await (const _ of new Journal(table, FIRST_SILO, shard).read(from));
    }),
  );
  const tookMs = performance.now() - startedAt;
  table.stop();
  return tookMs;
}

function figuresOf({ timesMs, rawMs, heirCpuMs }: Round, round: number): Figure[] {
  const answers = {
    name: `kill ${round + 1}, avatars answer`,
    unit: "s",
    target: { most: 15 },
    raw: rawMs / 1_000,
    beside: "raw: 10 s of the lease from its last heartbeat, and reading the journals",
  };
  return [
    ...spread(
      timesMs.map((ms) => ms / 1_000),
      answers,
    ),
    {
      name: "  CPU of the host that takes over",
      value: heirCpuMs / 1_000,
      unit: "s",
      beside: "of that time",
    },
  ];
}
