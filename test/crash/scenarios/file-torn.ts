/** All hosts die, and some of their SQLite files are cut off, changed in the middle, or another shard's. */
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { gather, judge, type Load, publish } from "../cast.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const LOAD: Load = { items: 6_000, lengthMs: 15_000 };
/** How many files of a host are harmed in each way. */
const OF_EACH = 8;
const FLIPPED_BYTES = 400;

export const fileTorn: Scenario = {
  name: "file-torn",
  sentence: "files of killed hosts are cut off, changed and swapped: none of it is served, nothing is lost",
  play: async (stage, random) => {
    const cast = await gather(stage, 8);
    await Promise.all([publish(cast.feeds, random, LOAD), tear(stage, random)]);
    await stage.recovers();
    return judge(stage, cast);
  },
};

async function tear(stage: Stage, random: Random): Promise<void> {
  await pause(random.whole(4_000, 9_000));
  await Promise.all(stage.hosts.map((host) => stage.holds(host)));
  const logs = stage.hosts.map((host) => stage.logsOf(host));
  for (const host of stage.hosts) harm(stage.folderOf(host), random);
  await Promise.all(stage.hosts.map((host) => stage.starts(host)));
  const said = logs.map((since) => since()).join("\n");
  mustHaveStruck(/cannot be used.*|.*is torn/.test(said), "no host has met a file that was cut off");
  mustHaveStruck(/it is of s1#\d+/.test(said), "no host has met a file of another shard");
}

function harm(folder: string, random: Random): void {
  const files = random.shuffled(readdirSync(folder).filter((name) => name.endsWith(".db")));
  mustHaveStruck(files.length > 3 * OF_EACH, `${folder} holds ${files.length} files only`);
  const [cut, changed, alien] = [0, 1, 2].map((way) => files.slice(way * OF_EACH, (way + 1) * OF_EACH));
  const whole = files.at(-1) as string;
  for (const name of cut ?? []) cutOff(join(folder, name), random);
  for (const name of changed ?? []) change(join(folder, name), random);
  for (const name of alien ?? []) replace(join(folder, name), join(folder, whole));
}

function cutOff(path: string, random: Random): void {
  for (const file of [path, `${path}-wal`]) {
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size !== undefined) truncateSync(file, random.whole(0, Math.max(0, size - 1)));
  }
}

function change(path: string, random: Random): void {
  const bytes = readFileSync(path);
  for (let left = FLIPPED_BYTES; left > 0 && bytes.length > 0; left--) {
    const at = random.whole(0, bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ random.whole(1, 255);
  }
  writeFileSync(path, bytes);
}

function replace(path: string, by: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    rmSync(path + suffix, { force: true });
    if (statSync(by + suffix, { throwIfNoEntry: false }) !== undefined)
      copyFileSync(by + suffix, path + suffix);
  }
}
