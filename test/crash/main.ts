/**
 * `npm run test:crash [-- --seeds N] [-- --seed S] [-- --only <scenario>[,…]] [-- --long]`: everything that must be survived, on one
 * installation. Each scenario is played once with a seed of its own, the random kills N times (default 200). Exit code 0 when no
 * invariant was violated and every crash point was hit. A first SIGINT or SIGTERM lets the play end, a second one breaks it off.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "./random.ts";
import { NAMED_SCENARIOS, SCENARIOS, SHORT_SCENARIOS } from "./scenarios/index.ts";
import { randomKills } from "./scenarios/random-kills.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { Stage } from "./stage.ts";
import { Suite } from "./suite.ts";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    only: { type: "string" },
    long: { type: "boolean", default: false },
  },
});
const named = options.only?.split(",");
const all = [...new Set([...SCENARIOS, ...SHORT_SCENARIOS, ...NAMED_SCENARIOS])];
const chosen = named === undefined ? SCENARIOS : all.filter(({ name }) => named.includes(name));
const [first] = chosen;
if (first === undefined) throw new Error(`--only takes one of ${all.map(({ name }) => name).join(", ")}`);

const withNeeds = chosen.find(({ needs }) => needs !== undefined);
if (withNeeds !== undefined && chosen.length > 1) throw new Error(`--only takes ${withNeeds.name} alone`);

const say = (line: string) => void process.stdout.write(`${line}\n`);
const home = await mkdtemp(join(tmpdir(), "tidings-crash-"));
const stage = await Stage.open({ home, tell: (line) => say(`    ${line}`), ...first.needs });
const [stopped, brokenOff] = [new AbortController(), new AbortController()];
const suite = new Suite(stage, say, { isLong: options.long, brokenOff: brokenOff.signal });
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    if (stopped.signal.aborted) brokenOff.abort();
    stopped.abort();
  });

for (const { scenario, seed } of plays()) {
  if (stopped.signal.aborted) break;
  await suite.play(scenario, new Random(seed));
}
const isGood = suite.summary(options.only === undefined && options.seed === undefined);
await stage.close();
if (isGood) await rm(home, { recursive: true, force: true });
else say(`logs are kept in ${join(home, "logs")}`);
process.exit(isGood ? 0 : 1);

function* plays(): Generator<{ scenario: Scenario; seed: number }> {
  for (const scenario of chosen) {
    const times = scenario === randomKills && options.seed === undefined ? Number(options.seeds ?? 200) : 1;
    for (let time = 0; time < times; time++)
      yield { scenario, seed: Number(options.seed ?? randomInt(2 ** 31)) };
  }
}
