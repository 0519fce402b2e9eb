/** Each node of ejabberd in turn is killed and loses what it keeps on disk and in memory, while items flow. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import { ROLES, type Role } from "../../../run/ejabberd/roles.ts";
import { gather, judge, type Load, publish } from "../cast.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const LOAD: Load = { items: 6_000, lengthMs: 20_000 };
/**
 * The users' node is the authority for accounts and rosters, which nobody can bring back; LATEST.LOG is where Mnesia keeps what
 * it has not yet written into their files. All else goes.
 */
const KEPT_OF_USERS = /^(schema\.DAT|(passwd|roster|roster_version)\..+|LATEST\.LOG|DECISION_TAB\.LOG)$/;

export const spoolWiped: Scenario = {
  name: "spool-wiped",
  sentence: "each node of ejabberd is killed and wiped, the router with a full spool: nothing is lost",
  play: async (stage, random) => {
    const cast = await gather(stage, 6);
    await Promise.all([publish(cast.feeds, random, LOAD), wipeEach(stage, random)]);
    await stage.recovers();
    return judge(stage, cast);
  },
};

async function wipeEach(stage: Stage, random: Random): Promise<void> {
  for (const role of random.shuffled(ROLES)) {
    await pause(random.whole(500, 3_000));
    if (role === "avatars") await withSpool(stage, random.pick(stage.hosts), () => wipe(stage, role));
    else await wipe(stage, role);
  }
}

/** A host is killed first, so that the router has something to lose. */
async function withSpool(stage: Stage, host: string, work: () => Promise<void>): Promise<void> {
  await stage.holds(host);
  await eventually(async () => mustHaveStruck((await stage.probe.spooled()) > 0, "nothing was spooled"));
  await work();
  await stage.starts(host);
}

async function wipe(stage: Stage, role: Role): Promise<void> {
  const { ejabberd, home } = stage.stack;
  const before = ejabberd.pid(role);
  await ejabberd.kill(role);
  const folder = join(home, "ejabberd", role, "mnesia");
  const files = (await readdir(folder)).filter((name) => role !== "users" || !KEPT_OF_USERS.test(name));
  mustHaveStruck(files.length > 0, `${folder} held nothing to wipe`);
  for (const name of files) await rm(join(folder, name), { recursive: true });
  await ejabberd.restart(role);
  mustHaveStruck(ejabberd.pid(role) !== before, `ejabberd ${role} is the same process as before`);
}
