import type { Queue } from "@tidings/queue";
import { expect, test } from "vitest";
import { lateQueue } from "./late-queue.ts";

test("a request before RabbitMQ is there is refused for now, and made when it is", async () => {
  const { promise, resolve } = Promise.withResolvers<Queue>();
  const queue = lateQueue(promise);
  await expect(queue.request("q", "{}", 1_000)).rejects.toMatchObject({ type: "wait" });
  resolve({ request: async (name: string, body: string) => `${name} ${body}` } as unknown as Queue);
  await promise;
  expect(await queue.request("q", "{}", 1_000)).toBe("q {}");
});
