import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal, runLogged, step } from "./step.mjs";

const RUNTIME = "v26.";

/**
 * Installs what package-lock.json names, unless that has been done, and checks that Node 26 came with it.
 * @param {string} root the checkout
 * @param {string} logs folder for the log of npm
 */
export async function installNodeModules(root, logs) {
  const modules = join(root, "node_modules");
  const stamp = join(modules, ".tidings-lock");
  const hash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (contentOf(stamp) === hash) return;
  const node = join(modules, ".bin", "node");
  const byHand =
    !existsSync(stamp) && isNewer(join(modules, ".package-lock.json"), join(root, "package-lock.json"));
  if (!byHand || problemOf(node) !== null)
    await step("node modules", () => npmCi(root, join(logs, "npm-ci.log")));
  const problem = problemOf(node);
  if (problem !== null) throw new Refusal(problem);
  writeFileSync(stamp, hash);
}

/**
 * Without install scripts: nothing we use needs one, and what npm would compile on the machine's Node does not load in ours.
 * @param {string} root
 * @param {string} logFile
 */
function npmCi(root, logFile) {
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  return runLogged("npm", args, { logFile, cwd: root, env: { ...process.env, PATH: pathWithoutModules() } });
}

/** npm must not run on the Node that it is about to replace. */
function pathWithoutModules() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.filter((folder) => !folder.includes("node_modules")).join(delimiter);
}

/**
 * Null when `node` is the Node that we need.
 * @param {string} node
 */
function problemOf(node) {
  const { stdout, error } = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (stdout?.startsWith(RUNTIME)) return null;
  return (
    `${node} should be Node 26 and ${error ? `cannot be run (${error.message})` : `says ${stdout.trim() || "nothing"}`}. ` +
    "It comes from npm as an optional dependency: see that `npm config get omit` does not say optional, and that the " +
    "machine uses glibc; then try again. Or use `docker compose up`."
  );
}

/**
 * @param {string} file
 * @param {string} than
 */
function isNewer(file, than) {
  return existsSync(file) && statSync(file).mtimeMs >= statSync(than).mtimeMs;
}

/** @param {string} file */
function contentOf(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}
