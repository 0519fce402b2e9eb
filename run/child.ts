/**
 * One child process: in a process group of its own, its output in a log file, and dead when this process dies.
 *
 * `setpriv --pdeathsig` makes the kernel end the child when its parent is gone, even by `kill -9`; services also stop
 * by themselves when the IPC channel closes. TIDINGS_OWNED_BY in the environment marks all descendants as ours.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { LogFile } from "./log-file.ts";

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Opens an IPC channel, over which a service of ours says `ready`. */
  readonly ipc: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  /** Resolves when the process has said `ready` over its IPC channel. */
  readonly saidReady: Promise<void>;
  /** Sends `signal` to the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGKILL to the whole process group. */
  killGroup(): void;
}

/** Starts `command` with its output in `log`. Rejects when it cannot be started at all. */
export function startChild({ command, args, env, ipc }: Command, log: LogFile): Promise<Child> {
  const [file, ...rest] = [...parentDeathGuard(ipc), command, ...args] as [string, ...string[]];
  const child = spawn(file, rest, {
    env,
    detached: true,
    stdio: ipc ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
  });
  child.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
  child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  const exited = new Promise<Exit>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  const saidReady = new Promise<void>((resolve) => {
    child.on("message", (message) => message === "ready" && resolve());
  });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new Error(`${command} cannot be started`, { cause })));
    child.once("spawn", () => resolve(handle(child, exited, saidReady)));
  });
}

function handle(child: ChildProcess, exited: Promise<Exit>, saidReady: Promise<void>): Child {
  const pid = child.pid as number;
  return {
    pid,
    exited,
    saidReady,
    signal: (signal) => void child.kill(signal),
    killGroup: () => send(-pid, "SIGKILL"),
  };
}

/** Sends `signal` to the process or, for a negative `pid`, to the group. A process that is gone already is no error. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Services hear of it over IPC and stop in order; everything else is told by the kernel, where it can be asked to. */
function parentDeathGuard(ipc: boolean): string[] {
  if (ipc || process.platform !== "linux") return [];
  const setpriv = (process.env.PATH ?? "")
    .split(delimiter)
    .find((folder) => existsSync(join(folder, "setpriv")));
  return setpriv === undefined ? [] : [join(setpriv, "setpriv"), "--pdeathsig", "TERM", "--"];
}
