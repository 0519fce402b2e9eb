/** Users of whom each shard has one, each with a source of its own, and the items that flow to them. */
import { setTimeout as pause } from "node:timers/promises";
import { canonicalFeedUrl, SHARDS, type Shard, shardOf } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { AvatarCaller } from "./avatar-caller.ts";
import { Seed } from "./seed.ts";
import { publisherOf } from "./source.ts";

export interface Reader {
  readonly name: string;
  readonly shard: Shard;
  /** Address of the feed that the reader alone follows. */
  readonly url: string;
}

const TICK_MS = 10;
const LOOK_EVERY_MS = 20;
const WITHIN_MS = 60_000;

/** The reader of each shard, in the order of the shards. */
export const READERS: readonly Reader[] = Array.from({ length: SHARDS }, (_, shard) => readerOf(shard));

/** Writes the readers into the files of `hosts`; resolves with the secret of their sessions. All are offline. */
export async function seedReaders(home: string, domain: string, hosts: readonly string[]): Promise<string> {
  const seed = new Seed(domain);
  for (const { name, url } of READERS) await seed.add({ names: [name], follow: [url], arePresent: false });
  seed.write(home, hosts);
  return seed.session;
}

export interface Flow {
  /** Ends it and resolves, when all is confirmed, with the number of items. Rejects when RabbitMQ did not confirm one. */
  stop(): Promise<number>;
  /** Resolves when every reader's history ends with the last item that was published for them. */
  allTold(caller: AvatarCaller): Promise<void>;
}

/** Publishes `perSecond` items a second, to one reader after the other, until it is stopped. */
export function flowOf(queue: Queue, perSecond: number): Flow {
  const publishers = READERS.map(({ url }) => publisherOf(queue, url));
  const last: (Promise<string> | undefined)[] = [];
  const failures: unknown[] = [];
  const startedAt = performance.now();
  let count = 0;
  const publishDue = () => {
    for (const due = ((performance.now() - startedAt) / 1_000) * perSecond; count < due; count++) {
      const at = count % READERS.length;
      last[at] = publishers[at]?.(count);
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
      await Promise.all(READERS.map(({ name }, at) => told(caller, name, last[at])));
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

function readerOf(shard: Shard): Reader {
  for (let number = 0; ; number++) {
    const name = `reader${number}`;
    if (shardOf(name) === shard)
      return { name, shard, url: canonicalFeedUrl(`http://127.0.0.1:9/${name}.rss`) };
  }
}
