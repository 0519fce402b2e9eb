import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/** Something that the person at the terminal has to put right; `message` says how. */
export class Refusal extends Error {}

/**
 * Shows `what` on one line of the terminal with the time that `work` took. Resolves to what `work` resolves to.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const startedAt = performance.now();
  process.stderr.write(`  ${what} …`);
  try {
    return await work();
  } finally {
    process.stderr.write(` ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  }
}

/**
 * Runs a command with its output appended to `logFile`. Ctrl-C reaches it through the terminal; a signal to this
 * process alone is passed on. Rejects with {@link Refusal}, which names the log, when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ logFile: string, env?: NodeJS.ProcessEnv, cwd?: string }} options
 * @returns {Promise<void>}
 */
export function runLogged(command, args, { logFile, env = process.env, cwd = process.cwd() }) {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = openSync(logFile, "a");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", log, log], env, cwd });
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, pass);
    const settle = (/** @type {string | null} */ problem) => {
      for (const signal of signals) process.off(signal, pass);
      closeSync(log);
      if (problem === null) resolve();
      else
        reject(
          new Refusal(`${[command, ...args].join(" ")} failed (${problem}); its output is in ${logFile}`),
        );
    };
    child.once("error", (error) => settle(error.message));
    child.once("exit", (code, signal) => settle(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
}
