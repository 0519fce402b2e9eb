/** What nobody could work on is kept, shown to operators alone, and tried again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PollJob, QUEUES } from "@tidings/protocol";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Rest } from "./theatre/rest.ts";

const LIST = "/v1/operations/dead-letters";

let queue: Queue;
beforeAll(async () => {
  queue = await connectQueue({ url: inject("amqpUrl"), log: silentLog() });
});
afterAll(() => queue.stop());

interface Letter {
  readonly id: string;
  readonly kind: string;
  readonly excerpt: string;
}

test("a message that a shard cannot read is shown to operators, stays, and stops nothing", async () => {
  const operator = new Rest(
    inject("webUrl"),
    readFileSync(join(inject("home"), "secrets/operator"), "utf8").trim(),
  );
  const lettersWith = async (text: string): Promise<Letter[]> => {
    const { status, body } = await operator.get(`${LIST}?limit=200`);
    expect(status).toBe(200);
    return body.items.filter(({ excerpt }: Letter) => excerpt.includes(text));
  };
  await queue.publish(QUEUES.shard("s1", 5), "no result at all");
  const [rubbish] = await eventually(async () => {
    const found = await lettersWith("no result at all");
    expect(found).toHaveLength(1);
    return found;
  });
  expect(rubbish).toMatchObject({ owner: QUEUES.dead, kind: "unknown" });
  expect((await operator.post(`${LIST}/${rubbish?.id}/replay`, {})).status).toBe(422);
  expect(await lettersWith("no result at all")).toHaveLength(1);
  expect((await new Rest(inject("webUrl"), "guess").get(LIST)).status).toBe(404);
});

test("a poll job that RabbitMQ gave up is worked on after its replay, and is gone from the list", async () => {
  const operator = new Rest(
    inject("webUrl"),
    readFileSync(join(inject("home"), "secrets/operator"), "utf8").trim(),
  );
  const job: PollJob = {
    job: "given-up",
    source: "rss.nobody",
    silo: "s1",
    url: "http://127.0.0.1:9/",
    validators: { etag: null, lastModified: null },
  };
  await queue.publish(QUEUES.dead, JSON.stringify(job));
  const listed = async () =>
    (await operator.get(`${LIST}?limit=200`)).body.items.filter(({ kind }: Letter) => kind === "pollJob");
  const [letter] = await eventually(async () => {
    const found = await listed();
    expect(found).toHaveLength(1);
    return found;
  });
  expect((await operator.post(`${LIST}/${letter.id}/replay`, {})).status).toBe(204);
  expect(await listed()).toEqual([]);
});
