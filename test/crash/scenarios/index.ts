import { everyCrashPoint } from "./every-crash-point.ts";
import { fewRandomKills, randomKills } from "./random-kills.ts";
import type { Scenario } from "./scenario.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [everyCrashPoint, randomKills];

/** Those that are part of `npm test`: short, and each of another kind. */
export const SHORT_SCENARIOS: readonly Scenario[] = [fewRandomKills];
