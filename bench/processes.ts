/** What the processes of an installation use, read from /proc. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { processesOf } from "../run/leftovers.ts";

export interface Use {
  readonly pid: number;
  readonly name: string;
  /** Most memory it ever had in RAM (bytes). */
  readonly peakRssBytes: number;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** Linux counts processor time in ticks of this length, whatever the kernel's own clock (proc(5)). */
export const TICK_MS = 10;

/** The processes of the installation in `home` that are worth a line: those above 20 MB. */
export function usesOf(home: string): Use[] {
  return processesOf(home)
    .flatMap(({ pid, command }) => useOf(pid, nameOf(command)))
    .filter(({ rssBytes }) => rssBytes > 20_000_000);
}

/** The use of one process; empty when it is gone. */
export function useOf(pid: number, name: string): Use[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const bytes = (field: string) =>
      Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1_024;
    return [{ pid, name, peakRssBytes: bytes("VmHWM"), rssBytes: bytes("VmRSS"), cpuMs: cpuMsOf(pid) }];
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Processor time that each process has used since `before`, by its name (milliseconds). */
export function cpuSince(before: readonly Use[], after: readonly Use[]): Map<string, number> {
  const earlier = new Map(before.map(({ pid, cpuMs }) => [pid, cpuMs]));
  const used = new Map<string, number>();
  for (const { pid, name, cpuMs } of after)
    used.set(name, (used.get(name) ?? 0) + cpuMs - (earlier.get(pid) ?? 0));
  return used;
}

/** Processor time that a process has used since it began (milliseconds, to the tick). Throws when it is gone. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** A service by its folder, a node of ejabberd by its role, others by what they run. */
function nameOf(command: string): string {
  const service = /services\/([a-z-]+)\/src/.exec(command)?.[1];
  if (service !== undefined) return service;
  if (command.includes("dynalite")) return "dynalite";
  if (command.includes("rabbit")) return "rabbitmq";
  if (command.includes("ejabberd"))
    return `ejabberd ${/(users|agents|avatars)/.exec(command)?.[1] ?? ""}`.trim();
  return basename(command.split(" ")[0] ?? command);
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}
