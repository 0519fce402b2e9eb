/** Presence that changes ten times a second while items flow. */
import { setTimeout as pause } from "node:timers/promises";
import { gather, judge, type Load, publish } from "../cast.ts";
import type { Random } from "../random.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

const LOAD: Load = { items: 2_000, lengthMs: 20_000 };
const CHANGE_EVERY_MS = 100;
const SHOWS = ["available", "away", "dnd", "unavailable", "unavailable"] as const;

export const flapping: Scenario = {
  name: "flapping",
  sentence: "two people whose presence changes ten times a second: everything comes, once and in order",
  play: async (stage, random) => {
    const cast = await gather(stage, 4);
    const people = [cast.alice, cast.carol];
    await Promise.all([
      publish(cast.feeds, random, LOAD),
      ...people.map((person) => flap(person, random, LOAD.lengthMs)),
    ]);
    return judge(stage, cast);
  },
};

async function flap({ client, name }: Subscriber, random: Random, lengthMs: number): Promise<void> {
  const startedAtMs = performance.now();
  let changes = 0;
  for (; performance.now() - startedAtMs < lengthMs; changes++) {
    await client.shows(random.pick(SHOWS));
    const nextAtMs = startedAtMs + (changes + 1) * CHANGE_EVERY_MS;
    await pause(Math.max(0, nextAtMs - performance.now()));
  }
  await client.shows("available");
  const wanted = (0.9 * lengthMs) / CHANGE_EVERY_MS;
  mustHaveStruck(changes >= wanted && client.isOnline, `${name} has changed ${changes} times only`);
}
