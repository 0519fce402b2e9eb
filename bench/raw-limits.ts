/** The raw limits of the paths that a notification takes, each alone, with the servers of the run. */
import { randomUUID } from "node:crypto";
import { type Bus, connectComponent } from "@tidings/bus";
import { hostAddress, xml } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, silentLog } from "@tidings/runtime";
import { Table } from "@tidings/store";
import type { Stack } from "../run/stack.ts";
import { type Figure, percentile } from "./figures.ts";

const log = silentLog();
const QUIET_ROUNDS = 200;
const LOADED_STANZAS = 20_000;
/** As many stanzas are on their way at a time: enough to fill the path, few enough not to pile up in a mailbox. */
const ON_THE_WAY = 500;

/** Publish + confirm on a quorum queue: one by one (ms), and many at a time (per second). */
export async function measureConfirms(stack: Stack): Promise<Figure[]> {
  const queue = await connectQueue({ url: stack.amqpUrl, log });
  const name = "tidings.shard.bench.0";
  const consumer = await queue.consume(name, 1_000, (delivery) => delivery.ack());
  const body = JSON.stringify({ filler: "x".repeat(700) });
  const single = await timesOf(QUIET_ROUNDS, () => queue.publish(name, body));
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 10_000 }, () => queue.publish(name, body)));
  const rate = 10_000 / ((performance.now() - startedAt) / 1_000);
  await consumer.cancel();
  await queue.stop();
  return [
    { name: "publish confirm p50", value: percentile(single, 0.5), unit: "ms" },
    { name: "publish confirms", value: rate, unit: "/s" },
  ];
}

/** One journal put of 2 KB, put-if-absent, one after the other (ms). */
export async function measureJournalPut(stack: Stack): Promise<Figure[]> {
  const table = new Table({ endpoint: stack.dynamoEndpoint });
  const item = { blob: { B: Buffer.alloc(2_000, 7) } };
  const pk = `bench#${randomUUID()}`;
  let slot = 0;
  const times = await timesOf(QUIET_ROUNDS, () => table.putIfAbsent(pk, String(slot++), item));
  table.stop();
  return [{ name: "journal put p50", value: percentile(times, 0.5), unit: "ms" }];
}

/** One stanza from a component of the avatars cluster to one of the agents cluster: alone (ms), and many (per second). */
export async function measureFederation(stack: Stack): Promise<Figure[]> {
  const from = await component(stack, "avatars", hostAddress(stack.domain, "h16"));
  const to = await component(stack, "agents", `sms.agents.${stack.domain}`);
  const stanza = (id: string) =>
    xml(
      "message",
      { type: "normal", from: `bench@${from.address}`, to: to.address, id },
      xml("body", {}, "x".repeat(500)),
    );
  const receive = receiver(to);
  const single = await timesOf(QUIET_ROUNDS, async (round) => {
    const received = receive.next(`s${round}`);
    await from.send(stanza(`s${round}`));
    await received;
  });
  const startedAt = performance.now();
  for (let sent = 0; sent < LOADED_STANZAS; sent++) {
    if (sent % 50 === 0) await receive.atLeast(QUIET_ROUNDS + sent - ON_THE_WAY);
    void from.send(stanza("load"));
  }
  await receive.atLeast(QUIET_ROUNDS + LOADED_STANZAS);
  const rate = LOADED_STANZAS / ((performance.now() - startedAt) / 1_000);
  await Promise.all([from.stop(), to.stop()]);
  return [
    { name: "federated stanza p50", value: percentile(single, 0.5), unit: "ms" },
    { name: "federated stanzas", value: rate, unit: "/s" },
  ];
}

/** A component connection for the bench itself; resolves when it is online. */
export async function component(stack: Stack, role: "agents" | "avatars", domain: string): Promise<Bus> {
  const password = await readSecret(stack.passwordFile(domain));
  const bus = connectComponent({ url: stack.busUrl(role), domain, password, log });
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
  return bus;
}

/** Counts what arrives, and lets others wait for a message with an id or for a number of them. */
export function receiver(bus: Bus) {
  let count = 0;
  const byId = new Map<string, () => void>();
  let waiting: { readonly count: number; readonly resolve: () => void } | null = null;
  bus.onStanza((stanza) => {
    count++;
    byId.get(stanza.attrs.id)?.();
    if (waiting !== null && count >= waiting.count) waiting.resolve();
  });
  return {
    next: (id: string) => new Promise<void>((resolve) => byId.set(id, resolve)),
    atLeast: (wanted: number) => {
      if (count >= wanted) return Promise.resolve();
      return new Promise<void>((resolve) => {
        waiting = { count: wanted, resolve };
      });
    },
  };
}

async function timesOf(rounds: number, work: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await work(round);
    times.push(performance.now() - startedAt);
  }
  return times;
}
