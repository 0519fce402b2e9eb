import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Tally, tallyOfCheck, tallyOfVitest, type VitestReport } from "./tally.ts";
import { minutes } from "./time-text.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODULES = join(ROOT, "node_modules");

/** Time that a check has to end in order when it is not wanted any more (milliseconds). */
const KILL_AFTER_MS = 20_000;

export interface Check {
  readonly name: string;
  /** Arguments to Node. */
  readonly args: readonly string[];
  /** Longest time that the check may take (milliseconds). */
  readonly withinMs: number;
  tally(exitCode: number): Tally;
}

/** The checks of `npm test`, in their order; reports go to files in `folder`. */
export function checksIn(folder: string): Check[] {
  return [
    check("format and lint", "@biomejs/biome/bin/biome", ["check", "."]),
    check("types", "typescript/bin/tsc", ["--project", ROOT]),
    check("types of the page", "typescript/bin/tsc", ["--project", join(ROOT, "services/web-api/app")]),
    // Half of their time is waiting, and vitest would give them one of two cores.
    vitest("unit", 10, folder, ["--maxWorkers=2"]),
    vitest("plays", 40, folder),
    vitest("faults", 40, folder),
    vitest("crash", 10, folder),
  ];
}

function check(name: string, script: string, args: readonly string[]): Check {
  return { name, args: [join(MODULES, script), ...args], withinMs: minutes(5), tally: tallyOfCheck };
}

function vitest(
  project: string,
  withinMinutes: number,
  folder: string,
  options: readonly string[] = [],
): Check {
  const report = join(folder, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  return {
    name: project,
    args: [join(MODULES, "vitest/vitest.mjs"), "run", "--project", project, ...options, ...reporters],
    withinMs: minutes(withinMinutes),
    tally: (exitCode) => tallyOfVitest(readReport(report), exitCode),
  };
}

/**
 * Runs `check` with the terminal shared and `env` as its environment. Resolves to its exit code, which is not 0 either
 * when it took too long or `signal` was aborted.
 */
export function runCheck(
  { args, withinMs }: Check,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
  const end = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS).unref();
  };
  over.addEventListener("abort", end);
  if (over.aborted) end();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(over.aborted ? 1 : (code ?? 1)));
  });
}

/** Null when there is no usable report, because vitest did not come so far. */
function readReport(path: string): VitestReport | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
