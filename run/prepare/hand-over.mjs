import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { onOrphaned } from "./orphaned.mjs";

/** The supervisor stays for as long as the installation runs: a small heap, and a young generation of 3 x 1 MB. */
const SMALL = ["--max-semi-space-size=1", "--optimize-for-size"];

/**
 * Runs `script` on Node 26 in the place of this process, where Node can do that (22.15 and newer); else as a child, with
 * the terminal shared and signals passed on. Resolves to the exit code.
 * @param {string} root the checkout
 * @param {{ script: string, args: readonly string[], cache: string }} what `cache`: folder for compiled code, which saves
 *   loading the type stripper (17 MB) from the second start on
 * @returns {Promise<number>}
 */
export function handOver(root, { script, args, cache }) {
  const node = join(root, "node_modules", ".bin", "node");
  const env = { NODE_COMPILE_CACHE: cache, ...process.env };
  const all = [...SMALL, script, ...args];
  if (typeof process.execve === "function") process.execve(node, [node, ...all], env);
  const child = spawn(node, all, { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => child.kill(signal));
  onOrphaned(() => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
}
