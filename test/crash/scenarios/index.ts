import { everyCrashPoint } from "./every-crash-point.ts";
import { randomKills } from "./random-kills.ts";
import type { Scenario } from "./scenario.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [everyCrashPoint, randomKills];
