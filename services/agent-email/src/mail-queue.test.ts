import { QUEUES } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { expect, onTestFinished, test } from "vitest";
import { hearMail } from "./mail-queue.ts";
import { eventually } from "./stage.ts";

/** An agent that hears mail from a queue; it fails as often as `failures` says. */
async function hears(failures = 0) {
  const broker = new MemoryBroker();
  const heard: string[] = [];
  const dead: string[] = [];
  const agent = {
    heard: async (mail: Buffer, recipient: string) => {
      if (failures-- > 0) throw new Error("the avatar does not answer");
      heard.push(`${recipient} ${mail}`);
    },
  };
  const queue = broker.connect();
  onTestFinished(await hearMail({ queue, agent, log: silentLog(), pause: async () => {} }));
  await queue.consume(QUEUES.dead, 1, (delivery) => {
    dead.push(delivery.body);
    delivery.ack();
  });
  return { queue, heard, dead };
}

const MAIL = JSON.stringify({ recipient: "reply+1@in.d.test", raw: Buffer.from("ack").toString("base64") });

test("mail from the queue is heard as it came, again when its user's avatar did not answer", async () => {
  const { queue, heard } = await hears(2);
  await queue.publish(QUEUES.mail, MAIL);
  await eventually(() => expect(heard).toEqual(["reply+1@in.d.test ack"]));
});

test("what is no mail is a dead letter", async () => {
  const { queue, heard, dead } = await hears();
  await queue.publish(QUEUES.mail, '{"recipient":"a"}');
  await eventually(() => expect(dead).toEqual(['{"recipient":"a"}']));
  expect(heard).toEqual([]);
});
