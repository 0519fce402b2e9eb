/**
 * Looks at every world that a scenario can come to, the nearest first, so that what is wrong is shown by a shortest trace.
 * Worlds are told apart by a hash of 53 bits: that two of a million share one has a chance of one in ten thousand.
 */
import { problemOf } from "./judge.ts";
import { RULES, type Rules } from "./rules.ts";
import { stepsFrom } from "./steps.ts";
import { beginning, type Scenario, type World } from "./world.ts";

export interface Exploration {
  readonly states: number;
  /** The first thing found wrong, with the steps that lead to it; null when nothing is. */
  readonly problem: { readonly what: string; readonly trace: readonly string[] } | null;
}

interface Node {
  readonly world: World;
  readonly before: Node | null;
  readonly what: string;
}

/** Explores `scenario` under `rules`. Throws when there are more than `mostStates`, so that no check is partial unseen. */
export function explore(scenario: Scenario, rules: Rules = RULES, mostStates = 1_000_000): Exploration {
  const stage = { rules, scenario };
  const first: Node = { world: beginning(scenario), before: null, what: "" };
  const seen = new Set([hash(textOf(first.world))]);
  let layer = [first];
  while (layer.length > 0) {
    const next: Node[] = [];
    for (const node of layer) {
      for (const { what, world } of stepsFrom(node.world, stage)) {
        const key = hash(textOf(world));
        if (seen.has(key)) continue;
        seen.add(key);
        const reached = { world, before: node, what };
        const problem = problemOf(world);
        if (problem !== null)
          return { states: seen.size, problem: { what: problem, trace: traceOf(reached) } };
        next.push(reached);
      }
    }
    if (seen.size > mostStates) throw new Error(`${scenario.name}: more than ${mostStates} states`);
    layer = next;
  }
  return { states: seen.size, problem: null };
}

function traceOf(last: Node): string[] {
  const trace: string[] = [];
  for (let node: Node | null = last; node?.before; node = node.before) trace.push(node.what);
  return trace.reverse();
}

/** The world as text. What a step has not touched is the same object as before, and is not written again. */
function textOf({ slots, owners, promised, files, late, ...rest }: World): string {
  const parts = [slots, promised, files, late, ...owners].map((part) => {
    const known = texts.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    texts.set(part, text);
    return text;
  });
  const { checkpoints, leaseEpoch, router, saidEpoch, faultsLeft, problem } = rest;
  const { seq, epoch, commits } = checkpoints;
  const scalars = [
    seq,
    epoch,
    ...commits,
    leaseEpoch,
    router.epoch,
    router.owner,
    router.isReady,
    saidEpoch,
    faultsLeft,
    problem,
  ];
  return `${parts.join()}${scalars.join()}`;
}

const texts = new WeakMap<object, string>();

/** cyrb53, after bryc: two multiplicative hashes of 32 bits, joined. */
function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
