import { type CallbackJob, QUEUES, shardOf } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { type AnswerOutcome, carryAnswers } from "./answer-jobs.ts";

const JOB: CallbackJob = {
  job: "j1",
  source: "push.1",
  silo: "s1",
  answer: "a1",
  url: "https://publisher.example/answers",
  headers: { "webhook-id": "a1" },
  body: '{"type":"answer"}',
};

let broker: MemoryBroker;
let carried: CallbackJob[];
let outcomes: AnswerOutcome[];
let results: unknown[];
let dead: string[];

beforeEach(async () => {
  [broker, carried, outcomes, results, dead] = [new MemoryBroker(), [], [], [], []];
  const carry = async (job: CallbackJob) => {
    carried.push(job);
    return outcomes.shift() ?? { kind: "taken" as const };
  };
  const end = await carryAnswers(QUEUES.callback, { queue: broker.connect(), carry, log: silentLog() });
  onTestFinished(end);
  await broker.connect().consume(QUEUES.shard("s1", shardOf(JOB.source)), 10, (delivery) => {
    results.push(JSON.parse(delivery.body));
    delivery.ack();
  });
  await broker.connect().consume(QUEUES.dead, 10, (delivery) => {
    dead.push(delivery.body);
    delivery.ack();
  });
});

test("an answer is carried as it is in the job, and the source hears that it was taken", async () => {
  await broker.connect().publish(QUEUES.callback, JSON.stringify(JOB));
  await eventually(() =>
    expect(results).toMatchObject([{ callback: "j1", answer: "a1", outcome: "delivered" }]),
  );
  expect(carried).toEqual([JOB]);
});

test("what is refused, for now or for good, goes back with its sentence, and is not tried here again", async () => {
  outcomes = [
    { kind: "again", sentence: "busy", retryAfterMs: 5_000 },
    { kind: "refused", sentence: "no" },
  ];
  const queue = broker.connect();
  await queue.publish(QUEUES.callback, JSON.stringify(JOB));
  await eventually(() =>
    expect(results).toMatchObject([{ outcome: "again", sentence: "busy", retryAfterMs: 5_000 }]),
  );
  await queue.publish(QUEUES.callback, JSON.stringify({ ...JOB, job: "j2" }));
  await eventually(() =>
    expect(results).toMatchObject([{}, { callback: "j2", outcome: "refused", sentence: "no" }]),
  );
  expect(carried).toHaveLength(2);
});

test("a job that is none is a dead letter, and nothing is carried", async () => {
  await broker.connect().publish(QUEUES.callback, '{"job":"j1"}');
  await eventually(() => expect(dead).toEqual(['{"job":"j1"}']));
  expect(carried).toEqual([]);
});
