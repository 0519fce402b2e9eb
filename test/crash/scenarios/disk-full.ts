/** The disk of one host is a small one, fills up under load, stays full, and has room again. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import { gather, judge, type Load, publish } from "../cast.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const LOAD: Load = { items: 6_000, lengthMs: 18_000 };
/** Room for 32 shards, their write-ahead logs of 4 MB each, and the histories of those who are awake. */
const DISK_BYTES = 256 * 1024 * 1024;
/** Its files grow until the disk takes nothing at all; then it has to say so within this time (milliseconds). */
const NOTICED_WITHIN_MS = 15_000;

export const diskFull: Scenario = {
  name: "disk-full",
  sentence:
    "a host's disk fills up under load and has room again later: nothing is lost, and it goes on by itself",
  play: async (stage, random) => {
    const host = random.pick(stage.hosts);
    return withSmallDisk(stage, host, async () => {
      const cast = await gather(stage, 8);
      await Promise.all([publish(cast.feeds, random, LOAD), fill(stage, host, random)]);
      await stage.recovers();
      return judge(stage, cast);
    });
  },
};

/** Mounting needs root. Afterwards the host finds its files of before the play, which are far behind the journal. */
async function withSmallDisk(
  stage: Stage,
  host: string,
  work: () => Promise<Violation[]>,
): Promise<Violation[]> {
  const folder = stage.folderOf(host);
  await stage.holds(host);
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tidings-crash", folder]);
  try {
    await stage.starts(host);
    return await work();
  } finally {
    await stage.holds(host);
    execFileSync("umount", [folder]);
    await stage.starts(host);
  }
}

async function fill(stage: Stage, host: string, random: Random): Promise<void> {
  await pause(random.whole(2_000, 5_000));
  const logs = stage.logsOf(host);
  const ballast = join(stage.folderOf(host), "ballast");
  const untilAtMs = performance.now() + NOTICED_WITHIN_MS;
  await eventually(
    () => {
      writeAll(ballast);
      mustHaveStruck(/the disk does not take rows/.test(logs()), "the host has not met a full disk");
    },
    { withinMs: untilAtMs - performance.now() },
  );
  await pause(random.whole(3_000, 6_000));
  rmSync(ballast);
  await eventually(() => mustHaveStruck(/the disk takes rows again/.test(logs()), "the disk stays full"), {
    withinMs: NOTICED_WITHIN_MS,
  });
}

/** Appends to the file until there is no room for a page. */
function writeAll(path: string): void {
  const file = openSync(path, "a");
  try {
    for (const size of [1024 * 1024, 4_096]) while (isTaken(file, Buffer.alloc(size, 1)));
  } finally {
    closeSync(file);
  }
}

function isTaken(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
