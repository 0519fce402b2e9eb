/**
 * Finds processes by their environment, which all descendants inherit. Linux only: elsewhere none is found.
 *
 * A supervisor that is killed takes its children along (child.ts, ejabberd/lifeline.erl); this is for those that were
 * still ending when the next one starts, and for the check that a test run leaves nothing behind.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { send } from "./child.ts";

export interface Found {
  readonly pid: number;
  readonly command: string;
}

/** Set to the state folder in every process that a crew starts. */
export const OWNER_MARK = "TIDINGS_OWNED_BY";

const SETTLE_MS = 50;
const WITHIN_MS = 5_000;

/** Running processes of the installation in the state folder `home`, other than this one. */
export function processesOf(home: string): Found[] {
  const ours = [`${OWNER_MARK}=${home}\0`, `EJABBERD_CONFIG_PATH=${home}/ejabberd/`];
  return find((environment) => ours.some((entry) => environment.includes(`\0${entry}`)));
}

/** Running processes, other than this one, whose environment has a value that is `folder` or a path in it. */
export function processesUsing(folder: string): Found[] {
  return find((environment) => environment.includes(`=${folder}\0`) || environment.includes(`=${folder}/`));
}

/** Sends SIGKILL to all that belongs to `home`, and waits for nothing. */
export function killNow(home: string): void {
  for (const { pid } of processesOf(home)) send(pid, "SIGKILL");
}

/** Ends what an earlier run on `home` left. The caller holds the folder's lock. Rejects when something does not die in 5 s. */
export async function killLeftovers(home: string): Promise<void> {
  const untilAt = Date.now() + WITHIN_MS;
  for (let left = processesOf(home); left.length > 0; left = processesOf(home)) {
    if (Date.now() > untilAt)
      throw new Error(`process ${left.map(({ pid }) => pid).join(", ")} of an earlier run does not end`);
    killNow(home);
    await sleep(SETTLE_MS);
  }
}

function find(isOurs: (environment: string) => boolean): Found[] {
  return processIds()
    .filter((pid) => pid !== process.pid && isOurs(`\0${readProc(pid, "environ")}`))
    .map((pid) => ({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 200) }));
}

function processIds(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Empty for a process that is gone, has ended and waits to be collected, or is another user's: none is ours to end. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
