import { randomKills } from "./random-kills.ts";
import type { Scenario } from "./scenario.ts";

/** All scenarios, in the order in which the suite plays them. */
export const SCENARIOS: readonly Scenario[] = [randomKills];
