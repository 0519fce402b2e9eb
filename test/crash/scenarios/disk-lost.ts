/** Hosts die and their folders are gone: first one host's, whose shards the other takes; then all hosts' at once. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { gather, judge, type Load, publish } from "../cast.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const LOAD: Load = { items: 8_000, lengthMs: 25_000 };
/** Longer than it takes to see that a host is dead (milliseconds). */
const DEAD_FOR_MS = { least: 11_000, most: 14_000 };

export const diskLost: Scenario = {
  name: "disk-lost",
  sentence: "a host dies with its disk, then all hosts with all disks: DynamoDB alone brings everything back",
  play: async (stage, random) => {
    const cast = await gather(stage, 8);
    await Promise.all([publish(cast.feeds, random, LOAD), loseDisks(stage, random)]);
    await stage.recovers();
    return judge(stage, cast);
  },
};

async function loseDisks(stage: Stage, random: Random): Promise<void> {
  await pause(random.whole(500, 3_000));
  await loseDisk(stage, [random.pick(stage.hosts)], random.whole(DEAD_FOR_MS.least, DEAD_FOR_MS.most));
  await pause(random.whole(500, 3_000));
  await loseDisk(stage, stage.hosts, 0);
}

async function loseDisk(stage: Stage, hosts: readonly string[], deadForMs: number): Promise<void> {
  await Promise.all(hosts.map((host) => stage.holds(host)));
  for (const host of hosts) {
    const folder = stage.folderOf(host);
    mustHaveStruck(existsSync(folder) && readdirSync(folder).length > 0, `${folder} held nothing to lose`);
    rmSync(folder, { recursive: true });
  }
  await pause(deadForMs);
  await Promise.all(hosts.map((host) => stage.starts(host)));
}
