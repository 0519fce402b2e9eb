/** RabbitMQ dies several times while items come: what was not acknowledged comes again. */
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import type { Scenario } from "./scenario.ts";

const TIMES = 3;
const LOAD = { feeds: 6, items: 6_000, lengthMs: 30_000 };
/** It runs for at most this long before it dies again (milliseconds). */
const ALIVE_MS = 4_000;

export const rabbitmqKilled: Scenario = {
  name: "rabbitmq-killed",
  sentence: "RabbitMQ is killed three times under load: nothing lost, nothing doubled",
  play: (stage, random) => underLoad(stage, random, LOAD, () => killAgainAndAgain(stage, random)),
};

async function killAgainAndAgain(stage: Stage, random: Random): Promise<void> {
  const rabbitmq = stage.stack.service("rabbitmq");
  const before = rabbitmq.restarts;
  for (let time = 0; time < TIMES; time++) {
    await pause(random.whole(500, ALIVE_MS));
    const { pid } = rabbitmq;
    stage.kills("rabbitmq");
    await pause(100);
    await rabbitmq.whenRunning();
    if (rabbitmq.pid === pid) throw new Error("RabbitMQ was not killed");
  }
  if (rabbitmq.restarts < before + TIMES)
    throw new Error(`RabbitMQ was started ${rabbitmq.restarts - before} times, not ${TIMES}`);
}
