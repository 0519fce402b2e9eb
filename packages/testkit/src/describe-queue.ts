/**
 * What every implementation of `Queue` must do. `makeQueue` gives a new client of one and the same broker each time; the
 * suite stops every client that it made. Queue names are new for each test, so that a broker may be used again.
 */
import { randomBytes } from "node:crypto";
import { QUEUES } from "@tidings/protocol";
import { type Delivery, NoAnswerError, type Queue, QueueStoppedError, RefusedError } from "@tidings/queue";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "./eventually.ts";

const DELIVERY_LIMIT = 20;

/** Declares the suite for the implementation `name`. */
export function describeQueue(name: string, makeQueue: () => Promise<Queue>): void {
  describe(`${name} keeps the promises of a queue`, () => {
    const clients: Queue[] = [];
    const client = async (): Promise<Queue> => {
      const queue = await makeQueue();
      clients.push(queue);
      return queue;
    };
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((queue) => queue.stop()));
    });

    describeMessages(client);
    describeSettling(client);
    describeConsumers(client);
    describeQuestions(client);
    describeStopping(client);
  });
}

type MakeClient = () => Promise<Queue>;

function describeMessages(client: MakeClient): void {
  test("what is published is delivered as it was, in the order of publishing", async () => {
    const [queue, name] = [await client(), shardName()];
    const bodies = ['{"title":"Zwei Zimmer, ruhige Straße 🏡"}', "", "x".repeat(300_000), "last"];
    await Promise.all(bodies.map((body) => queue.publish(name, body)));

    const heard = await hear(queue, name);

    await eventually(() => expect(heard.bodies).toEqual(bodies));
  });

  test("a consumer may come before the first message", async () => {
    const [queue, name] = [await client(), shardName()];
    const heard = await hear(queue, name);

    await queue.publish(name, "late");

    await eventually(() => expect(heard.bodies).toEqual(["late"]));
  });

  test("thousands published at once are all confirmed, and delivered in order", async () => {
    const [queue, name] = [await client(), shardName()];
    const bodies = Array.from({ length: 3_000 }, (_, number) => String(number));

    await Promise.all(bodies.map((body) => queue.publish(name, body)));
    const heard = await hear(queue, name, 100);

    await eventually(() => expect(heard.bodies.length).toBe(bodies.length));
    expect(heard.bodies).toEqual(bodies);
  });

  test("a message for a queue that does not exist is refused, and the next one for another is taken", async () => {
    const queue = await client();
    await expect(queue.publish(`tidings.nowhere.${unique()}`, "x")).rejects.toBeInstanceOf(RefusedError);
    await queue.publish(shardName(), "y");
  });
}

function describeSettling(client: MakeClient): void {
  test("what was acknowledged is gone, what was not comes back, marked as redelivered", async () => {
    const [queue, name] = [await client(), shardName()];
    await queue.publish(name, "done");
    await queue.publish(name, "open");
    const first = await hold(queue, name);
    await eventually(() => expect(first.held.length).toBe(2));
    first.held[0]?.ack();
    await first.cancel();

    const second = await hold(queue, name);

    await eventually(() => expect(second.held.map(({ body }) => body)).toEqual(["open"]));
    expect(second.held[0]?.redelivered).toBe(true);
  });

  test("what is given back is delivered again", async () => {
    const [queue, name] = [await client(), shardName()];
    await queue.publish(name, "again");
    const holder = await hold(queue, name);
    await eventually(() => expect(holder.held.length).toBe(1));
    expect(holder.held[0]?.redelivered).toBe(false);

    holder.held[0]?.giveBack();

    await eventually(() => expect(holder.held.length).toBe(2));
    expect(holder.held[1]).toMatchObject({ body: "again", redelivered: true });
  });

  test("what can never be worked on goes to the dead-letter queue", async () => {
    const [queue, name, body] = [await client(), shardName(), `dead ${unique()}`];
    await queue.publish(name, body);

    await queue.consume(name, 10, (delivery) => delivery.deadLetter());

    await findDead(queue, body);
  });

  test("a handler that throws sends the message to the dead-letter queue and hears the next one", async () => {
    const [queue, name, body] = [await client(), shardName(), `thrown ${unique()}`];
    const next: string[] = [];
    await queue.consume(name, 10, (delivery) => {
      if (delivery.body === body) throw new Error("a handler of the test fails");
      next.push(delivery.body);
      delivery.ack();
    });
    await queue.publish(name, body);
    await queue.publish(name, "next");

    await findDead(queue, body);
    await eventually(() => expect(next).toEqual(["next"]));
  });

  test("what is given back again and again ends in the dead-letter queue", async () => {
    const [queue, name, body] = [await client(), shardName(), `weary ${unique()}`];
    await queue.publish(name, body);
    let tries = 0;

    await queue.consume(name, 10, (delivery) => {
      tries += 1;
      delivery.giveBack();
    });

    await findDead(queue, body);
    expect(tries).toBe(DELIVERY_LIMIT + 1);
  });

  test("settling twice, or after the consumer has gone, does nothing", async () => {
    const [queue, name] = [await client(), shardName()];
    await queue.publish(name, "once");
    await queue.publish(name, "left");
    const holder = await hold(queue, name);
    await eventually(() => expect(holder.held.length).toBe(2));

    holder.held[0]?.ack();
    holder.held[0]?.ack();
    holder.held[0]?.deadLetter();
    await holder.cancel();
    holder.held[1]?.ack();

    const heard = await hear(queue, name);
    await eventually(() => expect(heard.bodies).toEqual(["left"]));
  });
}

function describeConsumers(client: MakeClient): void {
  test("no more deliveries are outstanding than the prefetch allows", async () => {
    const [queue, name] = [await client(), shardName()];
    await Promise.all(["1", "2", "3", "4", "5"].map((body) => queue.publish(name, body)));
    const holder = await hold(queue, name, 2);
    await eventually(() => expect(holder.held.length).toBe(2));

    holder.held[0]?.ack();

    await eventually(() => expect(holder.held.length).toBe(3));
    expect(holder.held.map(({ body }) => body)).toEqual(["1", "2", "3"]);
  });

  test("a shard queue has one consumer at work; the next takes over when it goes", async () => {
    const [one, two, name] = [await client(), await client(), shardName()];
    const first = await hold(one, name);
    const second = await hold(two, name);
    await Promise.all(["1", "2", "3"].map((body) => one.publish(name, body)));
    await eventually(() => expect(first.held.length).toBe(3));
    expect(second.held).toEqual([]);

    first.held[0]?.ack();
    await first.cancel();

    await eventually(() => expect(second.held.map(({ body }) => body)).toEqual(["2", "3"]));
  });

  test("how many consumers a classic queue has is known to each of them", async () => {
    const [one, two] = [await client(), await client()];
    const first = await hold(one, QUEUES.lookup, 1);
    const second = await hold(two, QUEUES.lookup, 1);
    await eventually(async () => expect(await one.consumers(QUEUES.lookup)).toBe(2));
    await first.cancel();
    await eventually(async () => expect(await two.consumers(QUEUES.lookup)).toBe(1));
    await second.cancel();
  });

  test("how many messages wait for a consumer is known", async () => {
    const one = await client();
    for (const body of ["a", "b", "c"]) await one.publish(QUEUES.callback, body);
    await eventually(async () => expect(await one.waiting(QUEUES.callback)).toBe(3));
    const consumer = await one.consume(QUEUES.callback, 10, (delivery) => delivery.ack());
    await eventually(async () => expect(await one.waiting(QUEUES.callback)).toBe(0));
    await consumer.cancel();
  });

  test("work that anybody may do is spread over the consumers", async () => {
    const [one, two, mark] = [await client(), await client(), unique()];
    const [first, second] = [await hold(one, QUEUES.callback, 2), await hold(two, QUEUES.callback, 2)];

    await Promise.all(["1", "2", "3", "4"].map((body) => one.publish(QUEUES.callback, `${mark} ${body}`)));

    await eventually(() => expect([first.held.length, second.held.length]).toEqual([2, 2]));
    for (const delivery of [...first.held, ...second.held]) delivery.ack();
  });
}

function describeQuestions(client: MakeClient): void {
  test("a question is answered, each asker hearing its own answer", async () => {
    const [asker, answerer] = [await client(), await client()];
    await answerer.consume(QUEUES.lookup, 10, (delivery) => delivery.reply(`about ${delivery.body}`));

    const answers = await Promise.all(
      ["a", "b", "c"].map((body) => asker.request(QUEUES.lookup, body, 10_000)),
    );

    expect(answers).toEqual(["about a", "about b", "about c"]);
  });

  test("a question without an answer ends after its time", async () => {
    const [asker, answerer] = [await client(), await client()];
    await answerer.consume(QUEUES.lookup, 10, (delivery) => delivery.ack());
    await expect(asker.request(QUEUES.lookup, "anyone?", 300)).rejects.toBeInstanceOf(NoAnswerError);
  });

  test("a question to a queue that does not exist is refused", async () => {
    const asker = await client();
    const asked = asker.request(`tidings.nowhere.${unique()}`, "x", 10_000);
    await expect(asked).rejects.toBeInstanceOf(RefusedError);
  });
}

function describeStopping(client: MakeClient): void {
  test("what a stopped client held goes to the others", async () => {
    const [one, two, name] = [await client(), await client(), shardName()];
    await two.publish(name, "mine");
    const holder = await hold(one, name);
    await eventually(() => expect(holder.held.length).toBe(1));

    await one.stop();

    const heard = await hear(two, name);
    await eventually(() => expect(heard.bodies).toEqual(["mine"]));
  });

  test("a stopped client says so, may be stopped again, and its open question ends", async () => {
    const [queue, answerer] = [await client(), await client()];
    const silent = await hold(answerer, QUEUES.lookup);
    const asked = queue.request(QUEUES.lookup, "still there?", 60_000);
    const ended = expect(asked).rejects.toBeInstanceOf(QueueStoppedError);
    await eventually(() => expect(silent.held.length).toBe(1));

    await queue.stop();
    await queue.stop();

    await ended;
    await expect(queue.publish(shardName(), "x")).rejects.toBeInstanceOf(QueueStoppedError);
    await expect(queue.consume(shardName(), 1, () => undefined)).rejects.toBeInstanceOf(QueueStoppedError);
    silent.held[0]?.ack();
  });
}

/** A shard queue that no other test uses. */
function shardName(): string {
  return QUEUES.shard(`t${unique()}`, 7);
}

function unique(): string {
  return randomBytes(6).toString("hex");
}

/** Consumes and acknowledges; `bodies` grows. */
async function hear(queue: Queue, name: string, prefetch = 10): Promise<{ readonly bodies: string[] }> {
  const bodies: string[] = [];
  await queue.consume(name, prefetch, (delivery) => {
    bodies.push(delivery.body);
    delivery.ack();
  });
  return { bodies };
}

interface Holder {
  readonly held: Delivery[];
  cancel(): Promise<void>;
}

/** Consumes and settles nothing; `held` grows. */
async function hold(queue: Queue, name: string, prefetch = 10): Promise<Holder> {
  const held: Delivery[] = [];
  const consumer = await queue.consume(name, prefetch, (delivery) => held.push(delivery));
  return { held, cancel: () => consumer.cancel() };
}

/** Waits until `body` lies in the dead-letter queue; what lies there from other tests is taken away. */
async function findDead(queue: Queue, body: string): Promise<void> {
  const dead = await hear(queue, QUEUES.dead);
  await eventually(() => expect(dead.bodies).toContain(body));
}
