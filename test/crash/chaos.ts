/** What goes wrong during one seed, and when: decided by the seed, before anything happens. Pure. */
import type { CrashPoint } from "@tidings/runtime";
import type { Role } from "../../run/ejabberd/nodes.ts";
import { provocationOf } from "./crash-plan.ts";
import type { Random } from "./random.ts";

export type Mishap =
  | { readonly kind: "kill"; readonly process: string }
  | { readonly kind: "stop"; readonly process: string }
  | { readonly kind: "restartNode"; readonly role: Role }
  | { readonly kind: "crash"; readonly process: string; readonly point: CrashPoint; readonly passes: number };

/** `afterMs` counts from the first item that is published. */
export type Planned = Mishap & { readonly afterMs: number };

export interface ChaosTerms {
  readonly hosts: readonly string[];
  /** Points that an order goes out for, and who passes each. */
  readonly points: readonly CrashPoint[];
  readonly passersOf: (point: CrashPoint) => readonly string[];
  /** Length of the chaos (milliseconds). */
  readonly lengthMs: number;
}

/** How often each kind of process is killed in one seed, as chances of one kill each. */
const KILLS: readonly (readonly [process: string, chances: readonly number[]])[] = [
  ["ingest-rss", [0.8, 0.5]],
  ["agent-xmpp", [0.8, 0.4]],
  ["web-api", [0.4]],
  ["rabbitmq", [0.4]],
  ["dynalite", [0.6]],
];
const HOST_KILLS: readonly number[] = [0.8, 0.4];
const NODE_KILLS: readonly (readonly [Role, number])[] = [
  ["users", 0.3],
  ["agents", 0.3],
  ["avatars", 0.4],
];

/** The mishaps of a seed in the order of their times. */
export function planChaos(random: Random, terms: ChaosTerms): Planned[] {
  const mishaps = [
    ...kills(random, terms),
    ...terms.points.flatMap((point) => crashes(random, point, terms)),
  ];
  const planned = mishaps.map((mishap) => ({ ...mishap, afterMs: random.whole(0, terms.lengthMs) }));
  return planned.sort((a, b) => a.afterMs - b.afterMs);
}

function kills(random: Random, { hosts }: ChaosTerms): Mishap[] {
  const all = [...KILLS, ...hosts.map((host) => [host, HOST_KILLS] as const)];
  const processes = all
    .flatMap(([process, chances]) => chances.filter((chance) => random.chance(chance)).map(() => process))
    .map((process): Mishap => ({ kind: "kill", process }));
  const nodes = NODE_KILLS.filter(([, chance]) => random.chance(chance)).map(
    ([role]): Mishap => ({ kind: "restartNode", role }),
  );
  return [...processes, ...nodes];
}

/** The order to die at `point`, and what makes its process pass it. */
function crashes(random: Random, point: CrashPoint, { passersOf }: ChaosTerms): Mishap[] {
  const process = random.pick(passersOf(point));
  const provocation = provocationOf(point);
  const passes = random.whole(0, provocation === null ? 30 : 10);
  const order: Mishap = { kind: "crash", process, point, passes };
  return provocation === null ? [order] : [order, { kind: provocation, process }];
}
