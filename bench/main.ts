/**
 * `npm run bench`: each figure beside its target and the raw limit of its path, measured in the same run on the same
 * servers. Progress and the table go to standard error; with `--json` the figures go to standard output.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Figure, isMissed, tableOf } from "./figures.ts";
import { busyShare } from "./machine.ts";
import { SUITES, type Suite } from "./suites.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean" },
    only: { type: "string", multiple: true },
    help: { type: "boolean", short: "h" },
  },
});

/** Above this the figures are those of a machine that does something else (share of all processors). */
const BUSY_SHARE = 0.1;

let hasFailed = false;
const startedAt = performance.now();
const say = (line: string) => void process.stderr.write(`${line}\n`);

function usage(): string[] {
  return [
    "usage: npm run bench [-- [--only <suite>]… [--json]]",
    "",
    "Measures on servers of its own, started for each suite; needs two idle cores. Without --only, all of",
    ...SUITES.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`),
    "",
    "A share is how much of the raw limit is reached: of a rate what is left, of a time what the servers take of it anyway.",
    "The exit code is 1 when a suite fails; a missed target is marked and does not fail.",
  ];
}

/** A line for the person who waits: seconds since the bench began, the suite, what happens. */
function teller(suite: string): (line: string) => void {
  return (line) =>
    say(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${suite}: ${line}`);
}

async function run(suites: readonly Suite[]): Promise<Record<string, Figure[]>> {
  const results: Record<string, Figure[]> = {};
  for (const { name, run: measure } of suites) {
    const tell = teller(name);
    const busy = await busyShare();
    const isBusy = busy > BUSY_SHARE;
    tell(`begins${isBusy ? `; THE PROCESSORS ARE ${Math.round(100 * busy)} % BUSY WITH OTHER THINGS` : ""}`);
    try {
      const figures = await measure(tell);
      results[name] = [{ name: "processors busy before", value: 100 * busy, unit: "%" }, ...figures];
      tell(`done${results[name].some(isMissed) ? ", a target was missed" : ""}`);
    } catch (error) {
      hasFailed = true;
      tell(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return results;
}

function printJson(results: Record<string, Figure[]>): Promise<void> {
  const json = JSON.stringify({ cores: cpus().length, node: process.version, results }, null, 2);
  return new Promise((resolve) => process.stdout.write(`${json}\n`, () => resolve()));
}

const unknown = (options.only ?? []).filter((name) => !SUITES.some((suite) => suite.name === name));
if (options.help || unknown.length > 0) {
  if (!options.help) process.exitCode = 1;
  for (const name of unknown) say(`there is no suite ${name}`);
  for (const line of usage()) say(line);
} else {
  const results = await run(SUITES.filter(({ name }) => options.only?.includes(name) ?? true));
  for (const line of ["", ...tableOf(results)]) say(line);
  if (options.json) await printJson(results);
  // What a failed suite has left open would hold the process, and with it the machine, for ever.
  process.exit(hasFailed ? 1 : 0);
}
