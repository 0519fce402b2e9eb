/** The rules that are in force, compiled once for as long as they stay the same. */
import { DEFAULT_RULES } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { RULES, type RulesRow } from "./rows.ts";
import { compileRules, type Routing } from "./rules/routing.ts";

const DEFAULT_ROUTING = compileRules(DEFAULT_RULES);
/** The version of the default rules, before anything was put. */
export const DEFAULT_VERSION = 0;

export class CurrentRouting {
  #row: RulesRow | null = null;
  #routing: Routing = DEFAULT_ROUTING;

  /** The routing as the rows have it in this turn. */
  in(turn: Turn): Routing {
    const row = turn.get<RulesRow>(RULES);
    if (row === undefined) return DEFAULT_ROUTING;
    if (row !== this.#row) {
      this.#row = row;
      this.#routing = compileRules(row.rules);
    }
    return this.#routing;
  }
}

/** The rules and their version. */
export function rulesIn(turn: Turn): RulesRow {
  return turn.get<RulesRow>(RULES) ?? { version: DEFAULT_VERSION, rules: DEFAULT_RULES };
}
