import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { QUEUES } from "@tidings/protocol";
import { connectQueue, type Queue, RefusedError } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { describeQueue, eventually } from "@tidings/testkit";
import { connect as connectRaw } from "amqplib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type LoneBroker, startLoneBroker } from "./lone-broker.ts";

let broker: LoneBroker;
let url: string;
beforeAll(async () => {
  broker = await startLoneBroker();
  url = broker.url;
});
afterAll(async () => broker?.stop());
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describeQueue("RabbitMQ", () => connectQueue({ url, log: silentLog() }));

test("what is published while the connection breaks arrives, in order, once it is back", async () => {
  const [line, name] = [await startLine(), shardName()];
  const queue = await client({ url: line.url });
  const heard = await hear(await client(), name);
  const bodies = Array.from({ length: 2_000 }, (_, number) => String(number));

  const published = Promise.all(bodies.slice(0, 1_000).map((body) => queue.publish(name, body)));
  line.cut();
  await Promise.all(bodies.slice(1_000).map((body) => queue.publish(name, body)));
  await published;

  await eventually(() => expect(new Set(heard).size).toBe(bodies.length));
  expect([...new Set(heard)]).toEqual(bodies);
});

test("a consumer hears on after its connection broke, and what it held then comes again", async () => {
  const [line, name] = [await startLine(), shardName()];
  const [broken, whole] = [await client({ url: line.url }), await client()];
  const held: { readonly body: string; readonly ack: () => void }[] = [];
  await broken.consume(name, 10, (delivery) => {
    held.push({ body: delivery.body, ack: () => delivery.ack() });
    if (delivery.redelivered) delivery.ack();
  });
  await whole.publish(name, "held");
  await eventually(() => expect(held.length).toBe(1));

  line.cut();
  await eventually(() => expect(broken.isBlocked).toBe(true));
  held[0]?.ack();

  await eventually(() => expect(held.map(({ body }) => body)).toEqual(["held", "held"]));
  await eventually(() => expect(broken.isBlocked).toBe(false));
});

test("a question asked while the connection is down is answered when it is back", async () => {
  const [line, answerer] = [await startLine(), await client()];
  const asker = await client({ url: line.url });
  await answerer.consume(QUEUES.lookup, 10, (delivery) => delivery.reply(`about ${delivery.body}`));
  line.cut();
  await eventually(() => expect(asker.isBlocked).toBe(true));
  expect(await asker.request(QUEUES.lookup, "it", 20_000)).toBe("about it");
});

test("a full queue refuses, says so, and takes again when there is room", async () => {
  const name = shardName();
  const queue = await client({ maxLength: 10 });
  let taken = 0;
  const fill = async () => {
    await queue.publish(name, String(taken));
    taken += 1;
    throw new Error("not full yet");
  };
  await eventually(() => expect(fill()).rejects.toBeInstanceOf(RefusedError));

  const heard = await hear(queue, name);
  await eventually(() => expect(heard.length).toBe(taken));
  await eventually(() => queue.publish(name, "room again"));
  await eventually(() => expect(heard).toContain("room again"));
});

test("a consumer whose queue was deleted declares it again and hears on", async () => {
  const name = shardName();
  const queue = await client();
  const heard = await hear(queue, name);
  await onRawChannel((channel) => channel.deleteQueue(name));

  await eventually(() => onRawChannel((channel) => channel.checkQueue(name)));

  await queue.publish(name, "still here");

  await eventually(() => expect(heard).toContain("still here"));
});

test("a queue that exists with other arguments is used as it is", async () => {
  const name = shardName();
  await onRawChannel((channel) =>
    channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } }),
  );
  const queue = await client();
  const heard = await hear(queue, name);
  await queue.publish(name, "as it is");
  await eventually(() => expect(heard).toEqual(["as it is"]));
});

test("stopping does not wait for a peer that is gone", async () => {
  const line = await startLine();
  const queue = await client({ url: line.url });
  await line.close();
  const startedAt = performance.now();
  await queue.stop();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

async function client(settings: { readonly url?: string; readonly maxLength?: number } = {}): Promise<Queue> {
  const queue = await connectQueue({ url, log: silentLog(), ...settings });
  closers.push(() => queue.stop());
  return queue;
}

function shardName(): string {
  return QUEUES.shard(`p${randomBytes(6).toString("hex")}`, 7);
}

async function hear(queue: Queue, name: string): Promise<string[]> {
  const bodies: string[] = [];
  await queue.consume(name, 100, (delivery) => {
    bodies.push(delivery.body);
    delivery.ack();
  });
  return bodies;
}

type RawChannel = Awaited<ReturnType<Awaited<ReturnType<typeof connectRaw>>["createChannel"]>>;

async function onRawChannel(use: (channel: RawChannel) => Promise<unknown>): Promise<void> {
  const connection = await connectRaw(url);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    await use(channel);
  } finally {
    await connection.close();
  }
}

interface Line {
  /** RabbitMQ's address through this line. */
  readonly url: string;
  /** Breaks every connection; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** A line to RabbitMQ that can be cut. */
async function startLine(): Promise<Line> {
  const sockets = new Set<Socket>();
  const target = new URL(url);
  const server = createServer((near) => {
    const far = dial(Number(target.port || 5672), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const near = new URL(url);
  near.port = String((server.address() as AddressInfo).port);
  near.hostname = "127.0.0.1";
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const close = () => closed(server, cut);
  closers.push(close);
  return { url: near.href, cut, close };
}

function closed(server: Server, cut: () => void): Promise<void> {
  cut();
  return new Promise((resolve) => server.close(() => resolve()));
}
