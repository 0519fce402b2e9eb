/** `npm run test:fuzz -- [--only feeds|mails] [--runs N] [--seed S]`: many more mutants than the unit tests read, with times and memory. */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fuzzFeeds, fuzzMails } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
  },
});
const [runs, seed] = [Number(values.runs), Number(values.seed)];
if (!Number.isInteger(runs) || !Number.isInteger(seed) || runs < 1)
  throw new Error("--runs and --seed take whole numbers");

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is held after a collection (MB): the heap and buffers of this thread. */
function heldMb(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_000_000;
}

for (const [name, fuzz] of [
  ["feeds", fuzzFeeds],
  ["mails", fuzzMails],
] as const) {
  if (values.only !== undefined && values.only !== name) continue;
  await fuzz({ seed, runs: Math.min(runs, 200) });
  const before = heldMb();
  const tell = (done: number) => console.error(`${name}: ${done} of ${runs}`);
  const { read, originalMs, slowestMs, slowestSeed } = await fuzz({ seed, runs, tell });
  const grownMb = (heldMb() - before).toFixed(1);
  console.info(
    `${name}: ${runs} mutants, ${read} read, ${runs - read} refused, none broke anything; ` +
      `originals took at most ${Math.round(originalMs)} ms, the slowest mutant ${Math.round(slowestMs)} ms (seed ${slowestSeed}); memory ${grownMb} MB more than after the first 200`,
  );
}
