/**
 * Prepares a checkout and hands over to Node 26: `node run/prepare.mjs start|test|bench|crash|fuzz [arguments]`.
 *
 * Runs before anything is installed, on the Node that the machine has, so: plain JavaScript, Node 20, no dependencies.
 * A prepared checkout costs a few file look-ups and prints nothing.
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { handOver } from "./prepare/hand-over.mjs";
import { checkMachine } from "./prepare/machine.mjs";
import { installNodeModules } from "./prepare/node-modules.mjs";
import { installPackages } from "./prepare/packages.mjs";
import { Refusal } from "./prepare/step.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const scripts = {
  start: "run/start.ts",
  test: "run/test.ts",
  bench: "bench/main.ts",
  crash: "test/crash/main.ts",
  fuzz: "test/fuzz/main.ts",
};
const [task = "", ...args] = process.argv.slice(2);

try {
  const script = scripts[task];
  if (!script) throw new Refusal(`usage: node run/prepare.mjs ${Object.keys(scripts).join("|")} [arguments]`);
  const home = resolve(process.cwd(), process.env.TIDINGS_HOME || ".tidings");
  const logs = join(home, "logs");
  checkMachine();
  await installNodeModules(root, logs);
  await installPackages(task, logs);
  process.exitCode = await handOver(root, { script: join(root, script), args, cache: join(home, "cache") });
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
