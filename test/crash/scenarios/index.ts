import { replyLost, throttling } from "./bad-dynamodb.ts";
import { halfOpenAgentToBus, halfOpenHostToBus, halfOpenHostToDynamodb } from "./half-open-link.ts";
import { hostCutFromBus, hostCutFromDynamodb } from "./host-cut.ts";
import { rabbitmqKilled } from "./rabbitmq-killed.ts";
import { randomKills } from "./random-kills.ts";
import { s2sDown } from "./s2s-down.ts";
import type { Scenario } from "./scenario.ts";
import { stuckComponent } from "./stuck-component.ts";
import { stuckHost } from "./stuck-host.ts";
import { zombieClaimsFirst } from "./zombie-claims-first.ts";
import { zombieOwner } from "./zombie-owner.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [
  zombieOwner,
  stuckHost,
  zombieClaimsFirst,
  hostCutFromDynamodb,
  hostCutFromBus,
  halfOpenHostToBus,
  halfOpenHostToDynamodb,
  halfOpenAgentToBus,
  stuckComponent,
  replyLost,
  throttling,
  rabbitmqKilled,
  s2sDown,
  randomKills,
];
