import { QUEUES } from "@tidings/protocol";
import { expect, test } from "vitest";
import { describeQueue } from "../../testkit/src/describe-queue.ts";
import { RefusedError } from "./errors.ts";
import { MemoryBroker } from "./memory-queue.ts";

const broker = new MemoryBroker();
describeQueue("the queue in memory", async () => broker.connect());

test("a full queue in memory refuses, and takes again when there is room", async () => {
  const queue = new MemoryBroker({ maxLength: 2 }).connect();
  await queue.publish(QUEUES.callback, "1");
  await queue.publish(QUEUES.callback, "2");

  await expect(queue.publish(QUEUES.callback, "3")).rejects.toBeInstanceOf(RefusedError);

  const taken = Promise.withResolvers<void>();
  await queue.consume(QUEUES.callback, 1, (delivery) => {
    delivery.ack();
    taken.resolve();
  });
  await taken.promise;
  await queue.publish(QUEUES.callback, "3");
});
