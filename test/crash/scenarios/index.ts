import { diskFull } from "./disk-full.ts";
import { diskLost } from "./disk-lost.ts";
import { fileTorn } from "./file-torn.ts";
import { flapping } from "./flapping.ts";
import { hostsStopped } from "./hosts-stopped.ts";
import { poison } from "./poison.ts";
import { randomKills } from "./random-kills.ts";
import type { Scenario } from "./scenario.ts";
import { spoolWiped } from "./spool-wiped.ts";
import { unsubscribeRace } from "./unsubscribe-race.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [
  randomKills,
  spoolWiped,
  diskLost,
  fileTorn,
  diskFull,
  hostsStopped,
  flapping,
  unsubscribeRace,
  poison,
];
