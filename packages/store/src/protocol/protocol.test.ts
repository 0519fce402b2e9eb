import { expect, test } from "vitest";
import { explore } from "./model/explore.ts";
import { MUTANTS } from "./model/mutants.ts";
import { RULES } from "./model/rules.ts";
import { SCENARIOS } from "./model/scenarios.ts";

const PATIENCE = { timeout: 60_000 };

test.for(Object.values(SCENARIOS))("nothing is lost, doubled or reordered: $name", PATIENCE, (scenario) => {
  const { states, problem } = explore(scenario);
  console.log(`${states} states of: ${scenario.name}`);
  expect(problem).toBeNull();
});

test.for(MUTANTS)("the model catches $name", PATIENCE, ({ name, scenario, rules }) => {
  const { problem } = explore(SCENARIOS[scenario], rules);
  if (problem === null) return expect.fail(`nothing was found wrong with ${name}`);
  console.log([`${name}:`, ...problem.trace, `⇒ ${problem.what}`].join("\n    "));
  expect(problem.trace.length).toBeLessThan(40);
});

test("the newest record may go as long as owners read back where the checkpoints are", () => {
  const rules = { ...RULES, lastToTrim: (seq: number) => seq };
  expect(explore(SCENARIOS.checkpoints, rules).problem).toBeNull();
  expect(explore(SCENARIOS.sleeper, rules).problem).toBeNull();
});
