import { replyLost, throttling } from "./bad-dynamodb.ts";
import { hostCutFromBus, hostCutFromDynamodb } from "./host-cut.ts";
import { rabbitmqKilled } from "./rabbitmq-killed.ts";
import { randomKills } from "./random-kills.ts";
import type { Scenario } from "./scenario.ts";
import { zombieOwner } from "./zombie-owner.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [
  zombieOwner,
  hostCutFromDynamodb,
  hostCutFromBus,
  replyLost,
  throttling,
  rabbitmqKilled,
  randomKills,
];
