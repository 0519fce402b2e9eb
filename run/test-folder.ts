/**
 * The folder of one test run, and what must not be left of the run outside and inside of it.
 *
 *     <system's temporary folder>/tidings-test-XXXXXX/
 *         home/    state folder of the plays (TIDINGS_TEST_HOME)
 *         cache/   compiled code of every process of the run (NODE_COMPILE_CACHE)
 *         tmp/     temporary folder of the tests (TMPDIR); each test removes what it puts there
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "./child.ts";
import { processesUsing } from "./leftovers.ts";
import { isFree } from "./ports.ts";

/** Time that ended processes have to disappear (milliseconds). */
const SETTLE_MS = 5_000;
const POLL_MS = 100;

export function makeTestFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidings-test-"));
  mkdirSync(join(folder, "tmp"));
  return folder;
}

/** `env` for the checks of the run in `folder`: without the settings of an installation that runs beside it. */
export function testEnvironment(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !/^(TIDINGS_|TWILIO_)/.test(name));
  return {
    ...Object.fromEntries(own),
    NODE_COMPILE_CACHE: join(folder, "cache"),
    TMPDIR: join(folder, "tmp"),
    TIDINGS_TEST_HOME: join(folder, "home"),
  };
}

/**
 * Resolves to a line for each process, listening port and temporary folder that the run in `folder` has left behind.
 * Processes that were still ending are waited for.
 */
export async function leftBehind(folder: string): Promise<string[]> {
  const untilAt = Date.now() + SETTLE_MS;
  while (processesUsing(folder).length > 0 && Date.now() < untilAt) await sleep(POLL_MS);
  const processes = processesUsing(folder).map(({ pid, command }) => `process ${pid}: ${command}`);
  const files = readdirSync(join(folder, "tmp")).map((name) => `temporary ${join(folder, "tmp", name)}`);
  return [...processes, ...(await openPorts(join(folder, "home"))), ...files];
}

/** Ends what is left of the run and removes its folder. */
export async function removeTestFolder(folder: string): Promise<void> {
  for (const { pid } of processesUsing(folder)) send(pid, "SIGKILL");
  while (processesUsing(folder).length > 0) await sleep(POLL_MS);
  rmSync(folder, { recursive: true, force: true });
}

async function openPorts(home: string): Promise<string[]> {
  const open: string[] = [];
  for (const [name, port] of Object.entries(portsOf(home))) {
    if (!(await isFree(port))) open.push(`listening port ${port} (${name})`);
  }
  return open;
}

function portsOf(home: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(join(home, "ports.json"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
