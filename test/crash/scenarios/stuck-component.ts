/** A host's connection to ejabberd stalls: nothing more is read on it, and what is for the host piles up before it. */
import { setTimeout as pause } from "node:timers/promises";
import { memoryBounded } from "../invariants.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

/** Less than after what the host takes the silence for the end of its connection. */
const STALLED_MS = 25_000;
const LOAD = { feeds: 8, items: 8_000, lengthMs: 26_000 };
const NODE = "ejabberd avatars";
/** What the node may take beyond what it took before (bytes). */
const GROWTH_BYTES = 120_000_000;

export const stuckComponent: Scenario = {
  name: "stuck-component",
  sentence:
    "a host whose connection to ejabberd stalls under load gets everything when it goes on, and what piles up is bounded",
  play: async (stage, random) => {
    const before = stage.probe.memory([]).get(NODE) ?? 0;
    let after = 0;
    const violations = await underLoad(stage, random, LOAD, async ({ alice }) => {
      await stall(stage, await Victim.ownerOf(stage, alice.name));
      after = stage.probe.memory([]).get(NODE) ?? 0;
    });
    return [...violations, ...memoryBounded(new Map([[NODE, after]]), before + GROWTH_BYTES)];
  },
};

/** `victim` must be somebody to whom the other hosts have frames to send. */
async function stall(stage: Stage, victim: Victim): Promise<void> {
  const link = stage.links.link(victim.process, "bus");
  link.stalls();
  await victim.isDeaf();
  await pause(STALLED_MS);
  await victim.isDeaf();
  const others = stage.hosts.filter((process) => process !== victim.process);
  const waiting = await Promise.all(
    others.map(async (process) => (await stage.probe.status(new Victim(stage, process).host)).framesWaiting),
  );
  if (Math.max(...waiting) === 0)
    throw new Error(`no frame waits for ${victim.host}: nothing piles up before it`);
  link.heals();
}
