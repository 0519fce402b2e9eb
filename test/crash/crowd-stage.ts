/** An installation of its own for a play with more users than can sign up: their rows are there before its hosts start. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Seed, type SeededUsers } from "../../bench/seed.ts";
import { DOMAIN, Stage } from "./stage.ts";

/** What is seeded is in no checkpoint, so no shard may move: with two hosts some do as they start. */
const HOST = "h1";
/** Longer than any play: what a checkpoint has, the journal forgets. */
const CHECKPOINT_SECONDS = 3_600;

/**
 * Resolves to what `work` does on an installation with these users and one host; nothing is left of it afterwards. What is
 * seeded is only in the host's files, and when it has died it needs all of the journal beside them: there are no checkpoints.
 */
export async function onStageWith<T>(users: SeededUsers, work: (stage: Stage) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "tidings-crash-crowd-"));
  try {
    const seed = new Seed(DOMAIN);
    await seed.add(users);
    seed.write(home, [HOST]);
    const stage = await Stage.open({
      home,
      hosts: 1,
      checkpointSeconds: CHECKPOINT_SECONDS,
      tell: () => {},
    });
    try {
      return await work(stage);
    } finally {
      await stage.close();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
