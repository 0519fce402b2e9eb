import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { BusStoppedError } from "./errors.ts";
import { SendQueue } from "./send-queue.ts";

/** A socket that keeps what is written until `drains`. */
class SlowSocket extends EventEmitter {
  readonly writes: string[] = [];
  writableLength = 0;

  write(text: string): boolean {
    this.writes.push(text);
    this.writableLength += text.length;
    return false;
  }

  drains(): void {
    this.writableLength = 0;
    this.emit("drain");
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

test("what is sent in one tick is written at once, in order", async () => {
  const queue = new SendQueue(1_000);
  const socket = new SlowSocket();
  queue.attach(socket.asSocket);
  for (const text of ["a", "b", "c"]) void queue.send(text);
  await tick();
  expect(socket.writes).toEqual(["abc"]);
});

test("past the bound senders wait until the socket drains, and never is more than the bound in flight", async () => {
  const queue = new SendQueue(100);
  const socket = new SlowSocket();
  queue.attach(socket.asSocket);
  let sent = 0;
  const sending = Array.from({ length: 50 }, () => queue.send("0123456789").then(() => sent++));
  await tick();
  expect(sent).toBe(10);
  while (sent < 50) {
    expect(socket.writableLength).toBeLessThanOrEqual(100);
    socket.drains();
    await tick();
  }
  await Promise.all(sending);
});

test("what was not written when the connection broke goes out first on the next one", async () => {
  const queue = new SendQueue(100);
  queue.attach(new SlowSocket().asSocket);
  void queue.send("in the batch");
  queue.detach();
  void queue.send(" and later");
  await tick();
  const next = new SlowSocket();
  queue.attach(next.asSocket);
  await tick();
  expect(next.writes.join("")).toBe("in the batch and later");
});

test("what nobody wants any more when its turn comes is left out", async () => {
  const queue = new SendQueue(100);
  void queue.send("stale", () => false);
  void queue.send("fresh");
  const socket = new SlowSocket();
  queue.attach(socket.asSocket);
  await tick();
  expect(socket.writes).toEqual(["fresh"]);
});

test("stop writes the batch and refuses who waits", async () => {
  const queue = new SendQueue(5);
  const socket = new SlowSocket();
  queue.attach(socket.asSocket);
  void queue.send("first");
  const waiting = expect(queue.send("second")).rejects.toBeInstanceOf(BusStoppedError);
  queue.stop();
  await waiting;
  await expect(queue.send("third")).rejects.toBeInstanceOf(BusStoppedError);
  expect(socket.writes).toEqual(["first"]);
});
