/** Users of whom each shard has one, each with a source of its own, and the items that flow to them. */
import { setTimeout as pause } from "node:timers/promises";
import { SHARDS, type Shard, shardOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import { AvatarCaller } from "./avatar-caller.ts";
import { signUp } from "./sign-up.ts";
import { type BenchSource, benchSource } from "./source.ts";

const TICK_MS = 10;
const LOOK_EVERY_MS = 20;
const WITHIN_MS = 60_000;

/** The name of the reader in each shard, in the order of the shards. */
export const READERS: readonly string[] = Array.from({ length: SHARDS }, (_, shard) => readerOf(shard));

export interface Readership {
  readonly caller: AvatarCaller;
  /** Publishes `perSecond` items a second, to one reader after the other, until it is stopped. */
  flow(perSecond: number): Flow;
  close(): Promise<void>;
}

/**
 * Signs the readers up, all offline. Over the bus, not by files as `seed.ts` does it: rows that are in no journal do not
 * move from host to host.
 */
export async function gatherReaders(stack: Stack): Promise<Readership> {
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  const sources = await Promise.all(READERS.map((name) => benchSource(queue, name)));
  const sessions = new Map<string, string>();
  const caller = await AvatarCaller.connect(stack, (user) => sessions.get(user) ?? "");
  await Promise.all(
    READERS.map(async (name, at) => {
      sessions.set(name, await signUp(caller.bus, stack.domain, name, sources[at]?.url ?? ""));
    }),
  );
  return {
    caller,
    flow: (perSecond) => flowTo(sources, perSecond),
    close: async () => {
      await Promise.all([caller.stop(), ...sources.map((source) => source.close())]);
      await queue.stop();
    },
  };
}

export interface Flow {
  /** Ends it and resolves, when all is confirmed, with the number of items. Rejects when RabbitMQ did not confirm one. */
  stop(): Promise<number>;
  /** Resolves when every reader's history ends with the last item that was published for them. */
  allTold(caller: AvatarCaller): Promise<void>;
}

function flowTo(sources: readonly BenchSource[], perSecond: number): Flow {
  const last: (Promise<string> | undefined)[] = [];
  const failures: unknown[] = [];
  const startedAt = performance.now();
  let count = 0;
  const publishDue = () => {
    for (const due = ((performance.now() - startedAt) / 1_000) * perSecond; count < due; count++) {
      const at = count % READERS.length;
      last[at] = sources[at]?.publish(count);
      last[at]?.catch((error) => failures.push(error));
    }
  };
  const timer = setInterval(publishDue, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.allSettled(last);
      if (failures.length > 0) throw failures[0];
      return count;
    },
    allTold: async (caller) => {
      await Promise.all(READERS.map((name, at) => told(caller, name, last[at])));
    },
  };
}

async function told(caller: AvatarCaller, name: string, last: Promise<string> | undefined): Promise<void> {
  const id = await last;
  const untilAt = Date.now() + WITHIN_MS;
  while ((await caller.newest(name)) !== id) {
    if (Date.now() > untilAt) throw new Error(`${name} was not told the last item within ${WITHIN_MS} ms`);
    await pause(LOOK_EVERY_MS);
  }
}

function readerOf(shard: Shard): string {
  for (let number = 0; ; number++) if (shardOf(`reader${number}`) === shard) return `reader${number}`;
}
