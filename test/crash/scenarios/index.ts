import { agentRestart } from "./agent-restart.ts";
import { fewRepliesLost, replyLost, throttling } from "./bad-dynamodb.ts";
import { demandCycles } from "./demand-cycles.ts";
import { diskFull } from "./disk-full.ts";
import { diskLost } from "./disk-lost.ts";
import { everyCrashPoint } from "./every-crash-point.ts";
import { fileTorn } from "./file-torn.ts";
import { flapping } from "./flapping.ts";
import { halfOpenAgentToBus, halfOpenHostToBus, halfOpenHostToDynamodb } from "./half-open-link.ts";
import { handoverEvery20s } from "./handover-every-20-s.ts";
import { hostCutFromBus, hostCutFromDynamodb } from "./host-cut.ts";
import { hostsStopped } from "./hosts-stopped.ts";
import { poison } from "./poison.ts";
import { rabbitmqKilled } from "./rabbitmq-killed.ts";
import { fewRandomKills, randomKills } from "./random-kills.ts";
import { s2sDown } from "./s2s-down.ts";
import { scaleCycles } from "./scale-cycles.ts";
import type { Scenario } from "./scenario.ts";
import { spoolWiped } from "./spool-wiped.ts";
import { stuckComponent } from "./stuck-component.ts";
import { stuckHost } from "./stuck-host.ts";
import { subscribers100k } from "./subscribers-100k.ts";
import { unsubscribeRace } from "./unsubscribe-race.ts";
import { zombieClaimsFirst } from "./zombie-claims-first.ts";
import { zombieOwner } from "./zombie-owner.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [
  everyCrashPoint,
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
  spoolWiped,
  diskLost,
  fileTorn,
  diskFull,
  hostsStopped,
  handoverEvery20s,
  scaleCycles,
  flapping,
  unsubscribeRace,
  poison,
  agentRestart,
  subscribers100k,
  randomKills,
];

/** Played only when they are named, each alone: the installation that they need is not the others'. */
export const NAMED_SCENARIOS: readonly Scenario[] = [demandCycles];

/** Those that are part of `npm test`: short, and each of another kind. */
export const SHORT_SCENARIOS: readonly Scenario[] = [fewRandomKills, fewRepliesLost, poison];
