/** Runs a process as the one task of a container: its output is the container's, and so is its end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command } from "../child.ts";

/** Resolves to the exit code of `command`; signals to this process are passed on to it. */
export async function runInForeground({ command, args, env }: Omit<Command, "ipc">): Promise<number> {
  const child = spawn(command, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
