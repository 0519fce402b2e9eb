import { POLL_PARTS, pollPart, QUEUES } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { expect, onTestFinished, test } from "vitest";
import { PollParts } from "./poll-parts.ts";

async function ingestor(broker: MemoryBroker) {
  const taken: string[] = [];
  const queue = broker.connect();
  const work = async (job: { body: string; ack(): void }) => {
    taken.push(job.body);
    job.ack();
  };
  const lookups = await queue.consume(QUEUES.lookup, 1, () => {});
  const parts = await PollParts.open({ queue, prefetch: 5, work, log: silentLog(), lookEveryMs: 20 });
  const close = async () => {
    await Promise.all([parts.close(), lookups.cancel()]);
  };
  onTestFinished(close);
  return { parts, taken, close };
}

test("jobs of one host are all in one part; those of addresses without a name are spread by their whole URL", () => {
  expect(pollPart("https://a.example/1")).toBe(pollPart("http://a.example/2?b"));
  const hosts = Array.from({ length: 400 }, (_, at) => pollPart(`https://h${at}.example/`));
  expect(new Set(hosts).size).toBe(POLL_PARTS);
  const own = Array.from({ length: 400 }, (_, at) => pollPart(`http://127.0.0.1/${at}`));
  expect(new Set(own).size).toBe(POLL_PARTS);
});

test("an ingestor that comes later gets its share, no job is lost, and all come to one who is left", async () => {
  const broker = new MemoryBroker();
  const publish = broker.connect();
  const everywhere = (name: string) =>
    Promise.all(
      Array.from({ length: POLL_PARTS }, (_, part) => publish.publish(QUEUES.poll(part), `${name} ${part}`)),
    );
  const first = await ingestor(broker);
  await everywhere("a");
  await eventually(() => expect(first.taken).toHaveLength(POLL_PARTS));
  const second = await ingestor(broker);
  await eventually(() => expect(first.parts.ours).toBe(POLL_PARTS / 2));
  await everywhere("b");
  await eventually(() => expect(second.taken).toHaveLength(POLL_PARTS / 2));
  expect(first.taken).toHaveLength(POLL_PARTS * 1.5);
  await first.close();
  await everywhere("c");
  await eventually(() => expect(second.taken).toHaveLength(POLL_PARTS * 1.5));
  expect(new Set([...first.taken, ...second.taken]).size).toBe(POLL_PARTS * 3);
});
