/** How long a real host takes from its start to `ready`: with nobody registered, and with a million users who sleep. */
import type { Stack } from "../run/stack.ts";
import type { ProcessSpec, Tell } from "../run/supervised.ts";
import type { Figure } from "./figures.ts";
import { onStack } from "./installation.ts";
import { Seed } from "./seed.ts";

const REGISTERED = 1_000_000;
const HOST = "h1";
const RESTARTS = 3;
const STOP_GRACE_MS = 10_000;
const TELL_EVERY_SHARDS = 16;
/** How much longer a start may take with a million: what two starts of an empty host differ by. */
const TOLERANCE = 1.25;
const TOLERANCE_MS = 250;

interface Starts {
  readonly firstMs: number;
  /** The quickest of the restarts. */
  readonly againMs: number;
}

/** Starts an empty installation and one with a million users. */
export async function measureStart(tell: Tell): Promise<Figure[]> {
  const empty = await startsOf(tell, async () => {});
  tell(`seeding ${REGISTERED} users; this takes half a minute`);
  const full = await startsOf(tell, async (home, domain) => {
    const names = Array.from({ length: REGISTERED }, (_, at) => `user${at}`);
    const seed = new Seed(domain);
    await seed.add({ names, follow: [], arePresent: false });
    seed.write(home, [HOST], (shard) => {
      if ((shard + 1) % TELL_EVERY_SHARDS === 0) tell(`the files of ${shard + 1} shards are written`);
    });
  });
  return [
    figure("first start", full.firstMs, empty.firstMs),
    figure("start after a stop", full.againMs, empty.againMs),
  ];
}

function figure(name: string, value: number, emptyMs: number): Figure {
  return {
    name: `${name} with ${REGISTERED} users`,
    value,
    unit: "ms",
    target: { most: TOLERANCE * emptyMs + TOLERANCE_MS },
    raw: emptyMs,
    beside: "raw: the same with nobody; process start to ready",
  };
}

async function startsOf(
  tell: Tell,
  prepare: (home: string, domain: string) => Promise<void>,
): Promise<Starts> {
  const times: number[] = [];
  const adapt = (spec: ProcessSpec): ProcessSpec => ({
    ...spec,
    ready: async (child, signal) => {
      const startedAt = performance.now();
      await spec.ready(child, signal);
      if (spec.name === `avatar-host-${HOST}`) times.push(performance.now() - startedAt);
    },
  });
  const restart = async (stack: Stack) => {
    for (let round = 0; round < RESTARTS; round++) {
      await stack.service(`avatar-host-${HOST}`).stop(STOP_GRACE_MS);
      await stack.service(`avatar-host-${HOST}`).start();
    }
  };
  await onStack(tell, { services: ["avatar-host"], hosts: 1, prepare, adapt }, restart);
  const [firstMs = Number.NaN, ...again] = times;
  return { firstMs, againMs: Math.min(...again) };
}
