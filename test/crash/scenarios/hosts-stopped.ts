/** No avatar host at all: items wait in RabbitMQ, stanzas at the router, the monitor is signalled; one host drains them in order. */
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { type Cast, gather, judge } from "../cast.ts";
import { hasEverything } from "../checks.ts";
import { queueItems } from "../queued-items.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const ITEMS = 10_000;
const FEEDS = 5;

export const hostsStopped: Scenario = {
  name: "hosts-stopped",
  sentence:
    "10,000 items while no host runs: all wait, the monitor is signalled, one host drains them in order",
  play: async (stage, random) => {
    const cast = await gather(stage, FEEDS);
    await Promise.all(stage.hosts.map((host) => stage.holds(host)));
    await piledUp(stage, cast, random);
    const [first, ...others] = random.shuffled(stage.hosts) as [string, ...string[]];
    await stage.starts(first);
    await Promise.all([cast.alice, cast.bob, cast.carol].map((person) => hasEverything(person)));
    for (const host of others) await stage.starts(host);
    return judge(stage, cast);
  },
};

async function piledUp(stage: Stage, { feeds, alice, carol }: Cast, random: Random): Promise<void> {
  const { probe, stack } = stage;
  const wakesBefore = probe.wakes;
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  await Promise.all(random.shuffled(feeds).map((feed) => queueItems(queue, feed, Math.floor(ITEMS / FEEDS))));
  await queue.stop();
  // What the agent says of their presence goes to their avatars, which nobody hosts.
  await alice.client.shows("dnd");
  await carol.client.goesOffline();
  await carol.client.comesOnline();
  await alice.client.shows("available");
  await eventually(async () => {
    mustHaveStruck((await probe.spooled()) > 0, "no stanza is spooled");
    mustHaveStruck(probe.wakes > wakesBefore, "the monitor was not signalled");
    const depths = Object.entries(await probe.queues()).filter(([name]) => name.includes("shard"));
    const waiting = depths.reduce((sum, [, depth]) => sum + depth, 0);
    mustHaveStruck(waiting >= ITEMS / 100, `${waiting} results wait only`);
  });
}
