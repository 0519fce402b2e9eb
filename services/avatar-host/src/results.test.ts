import { type PollResult, QUEUES } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { expect, test } from "vitest";
import { consumeResults } from "./results.ts";
import type { Stimulus } from "./shard/stimulus.ts";

const QUEUE = QUEUES.shard("s1", 0);

function resultWith(title: string): PollResult {
  return {
    job: "j",
    source: "rss.1",
    fetchedAt: 0,
    outcome: "items",
    part: 1,
    parts: 1,
    title: "Rooms",
    validators: { etag: null, lastModified: null },
    items: [{ id: "a".repeat(32), title, link: null, summary: null, author: null, publishedAt: null }],
    failure: null,
  };
}

test.each(["bell \u0007", "half \ud800", "no character \ufffe"])(
  "a result with text that nobody can be told is a dead letter: %j",
  async (title) => {
    const broker = new MemoryBroker();
    const queue = broker.connect();
    const taken: string[] = [];
    const shard = {
      isUnderPressure: false,
      onQueued: (_source: string, stimulus: Stimulus, onDurable: () => void) => {
        if (stimulus.kind === "pollResult") taken.push(...stimulus.result.items.map((item) => item.title));
        onDurable();
      },
    };
    await consumeResults(queue, QUEUE, shard, silentLog());
    const dead: string[] = [];
    await queue.consume(QUEUES.dead, 10, (delivery) => {
      dead.push(delivery.body);
      delivery.ack();
    });
    await queue.publish(QUEUE, JSON.stringify(resultWith("before")));
    await queue.publish(QUEUE, JSON.stringify(resultWith(title)));
    await queue.publish(QUEUE, JSON.stringify(resultWith("after")));
    await eventually(() => {
      expect(taken).toEqual(["before", "after"]);
      expect(dead).toHaveLength(1);
    });
    await queue.stop();
  },
);
