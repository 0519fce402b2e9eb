/**
 * Planned hand-overs while items flow: one shard after the other is given to the other host by name, then a whole host
 * stops in order. An avatar is asked all the time; what counts is the longest time between two of its answers.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Shard } from "@tidings/protocol";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import type { AvatarCaller } from "./avatar-caller.ts";
import { type Figure, figureOf, spread } from "./figures.ts";
import { measureFederation, measureJournalPut } from "./raw-limits.ts";
import { gatherReaders, READERS } from "./readers.ts";

const HOSTS = ["h1", "h2"] as const;
const ITEMS_PER_SECOND = 200;
const HAND_OVERS = 8;
const ASK_EVERY_MS = 10;
/** A whole host has 32 avatars that are asked. */
const ASK_ALL_EVERY_MS = 100;
const ANSWERED_WITHIN_MS = 5_000;
const AROUND_MS = 500;
const SERVED_WITHIN_MS = 30_000;
const STOP_GRACE_MS = 10_000;
/** What a hand-over does one after the other while nobody serves: so many table requests, and stanzas over a socket. */
const TABLE_REQUESTS = 12;
const STANZAS = 10;

/** Hands shards over under load. */
export async function measureHandOver(tell: Tell, stack: Stack): Promise<Figure[]> {
  const raw = [...(await measureJournalPut(stack)), ...(await measureFederation(stack))];
  const rawMs =
    TABLE_REQUESTS * figureOf(raw, "journal put p50") + STANZAS * figureOf(raw, "federated stanza p50");
  tell(`signing ${READERS.length} users up, one in each shard`);
  const { caller, flow: flowAt, close } = await gatherReaders(stack);
  await caller.settled(HOSTS);
  const flow = flowAt(ITEMS_PER_SECOND);
  tell(`handing ${HAND_OVERS} shards over, one after the other, at ${ITEMS_PER_SECOND} items/s`);
  const single: number[] = [];
  for (let round = 0; round < HAND_OVERS; round++) single.push(await handedOver(caller, round));
  tell("stopping h1 in order");
  const whole = await hostStopped(stack, caller, "h1");
  const items = await flow.stop();
  await flow.allTold(caller);
  tell(`all of ${items} items were told`);
  await close();
  const common = { unit: "ms", target: { most: 1_000 }, raw: rawMs } as const;
  return [
    ...raw,
    ...spread(single, { ...common, name: "one shard, no answer for", beside: "raw: 12 puts, 10 stanzas" }),
    ...spread(whole, {
      ...common,
      name: `all ${whole.length} shards of a host that stops`,
      beside: `asked every ${ASK_ALL_EVERY_MS} ms`,
    }),
  ];
}

/** Gives a shard to the other host; resolves with the longest time without an answer (milliseconds). */
async function handedOver(caller: AvatarCaller, round: number): Promise<number> {
  const [from, to] = round % 2 === 0 ? HOSTS : [HOSTS[1], HOSTS[0]];
  const shards = await caller.shardsOf(from);
  const shard = shards[round % shards.length] ?? 0;
  const asking = ask(caller, shard, ASK_EVERY_MS);
  await pause(AROUND_MS);
  await caller.handOver(shard, from, to);
  await served(caller, shard, to);
  await pause(AROUND_MS);
  const longest = await asking.stop();
  await caller.settled(HOSTS);
  return longest;
}

async function served(caller: AvatarCaller, shard: Shard, host: string): Promise<void> {
  const untilMs = performance.now() + SERVED_WITHIN_MS;
  while (!(await caller.shardsOf(host)).includes(shard)) {
    if (performance.now() > untilMs) throw new Error(`${host} has not taken shard ${shard}`);
    await pause(ASK_EVERY_MS);
  }
}

async function hostStopped(stack: Stack, caller: AvatarCaller, host: string): Promise<number[]> {
  const shards = await caller.shardsOf(host);
  const asking = shards.map((shard) => ask(caller, shard, ASK_ALL_EVERY_MS));
  await pause(AROUND_MS);
  await stack.service(`avatar-host-${host}`).stop(STOP_GRACE_MS);
  await caller.settled(HOSTS.filter((other) => other !== host));
  await pause(AROUND_MS);
  return await Promise.all(asking.map(({ stop }) => stop()));
}

/** Asks the avatar of a shard's reader every `everyMs`, whether or not it has answered before. */
function ask(caller: AvatarCaller, shard: Shard, everyMs: number): { stop(): Promise<number> } {
  const name = READERS[shard] ?? "";
  const asked: Promise<void>[] = [];
  let answeredAt = performance.now();
  let longest = 0;
  const askOnce = async () => {
    if (!(await caller.answers(name, ANSWERED_WITHIN_MS))) return;
    const now = performance.now();
    longest = Math.max(longest, now - answeredAt);
    answeredAt = now;
  };
  const timer = setInterval(() => asked.push(askOnce()), everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(asked);
      return longest;
    },
  };
}
