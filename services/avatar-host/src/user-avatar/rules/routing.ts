/** A document of rules, made ready to decide by: texts are read, expressions compiled and names looked up once. */
import {
  type Channel,
  type Digest,
  durationMs,
  type Mute,
  muteUntilAt,
  type Notification,
  type Priority,
  type Rule,
  type Rules,
  type Step,
} from "@tidings/protocol";
import { compileDigest, type DigestPlan } from "./digest-time.ts";
import { compileFilter, type Test, type Texts, textsOf } from "./filter.ts";
import { compileQuietHours } from "./quiet-hours.ts";
import { compileCondition, type Holds } from "./reach.ts";

export type LadderStep =
  | { readonly kind: "rung"; readonly to: Channel | null; readonly id: string | null; readonly holds: Holds }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "unless"; readonly proof: "received" | "acked"; readonly ms: number };
export type LadderPlan = readonly LadderStep[];

/** What a subscription or a rule says; undefined where it says nothing. Times are epoch milliseconds. */
interface Outcome {
  readonly ladder: LadderPlan | undefined;
  readonly mutedUntilAt: number | undefined;
  readonly digest: DigestPlan | undefined;
}

interface CompiledRule extends Outcome {
  readonly name: string;
  readonly priority: Priority | undefined;
  readonly subscriptions: ReadonlySet<string> | null;
  readonly priorities: ReadonlySet<Priority> | null;
  readonly match: Test | null;
}

/** Rules, ready to decide by. */
export interface Routing {
  readonly rules: Rules;
  readonly ladders: ReadonlyMap<string, LadderPlan>;
  readonly subscriptions: ReadonlyMap<string, Outcome & { readonly filter: Test | null }>;
  readonly compiled: readonly CompiledRule[];
  readonly quietUntil: (at: number) => number | null;
  readonly heldDigest: (DigestPlan & { readonly to: Channel }) | null;
}

/** The way of one notification, before anybody has looked where the user is. */
export interface Route {
  readonly priority: Priority;
  /** The rule that matched, or null. */
  readonly rule: string | null;
  readonly isFiltered: boolean;
  /** Muted until then (infinity = for ever), and by which rule, or null = by the subscription. */
  readonly muted: { readonly untilAt: number; readonly by: string | null } | null;
  readonly ladder: LadderPlan;
  readonly digest: DigestPlan | null;
}

/** Compiles a document that `readRules` has taken; another one may throw. */
export function compileRules(rules: Rules): Routing {
  const ladders = new Map(Object.entries(rules.ladders).map(([name, steps]) => [name, compileLadder(steps)]));
  const outcome = (said: Rule["set"]): Outcome => ({
    ladder: compileNamed(said.ladder, ladders),
    mutedUntilAt: mutedUntilAt(said.mute),
    digest: compileOptional(said.digest, rules.zone),
  });
  const subscriptions = Object.entries(rules.subscriptions).map(
    ([id, { filter, ...said }]) =>
      [id, { ...outcome(said), filter: filter === undefined ? null : compileFilter(filter) }] as const,
  );
  const held = rules.held.digest;
  return {
    rules,
    ladders,
    subscriptions: new Map(subscriptions),
    compiled: rules.rules.map((rule) => ({ ...outcome(rule.set), ...compileWhen(rule) })),
    quietUntil: compileQuietHours(rules.quietHours, rules.zone),
    heldDigest: held === null ? null : { ...compileDigest(held, rules.zone), to: held.to },
  };
}

/** The way of `notification`, whose subscription has `priority`. */
export function routeOf(notification: Notification, priority: Priority, routing: Routing): Route {
  const own = routing.subscriptions.get(notification.source);
  const texts = textsOf(notification);
  const rule = routing.compiled.find((candidate) => applies(candidate, notification, priority, texts));
  const final = rule?.priority ?? priority;
  const muted = own?.mutedUntilAt ?? rule?.mutedUntilAt;
  return {
    priority: final,
    rule: rule?.name ?? null,
    isFiltered: own?.filter != null && !own.filter(texts),
    muted:
      muted === undefined
        ? null
        : { untilAt: muted, by: own?.mutedUntilAt === undefined ? (rule?.name ?? null) : null },
    ladder: rule?.ladder ?? own?.ladder ?? routing.ladders.get(final) ?? routing.ladders.get("default") ?? [],
    digest: rule?.digest ?? own?.digest ?? null,
  };
}

function applies(rule: CompiledRule, { source }: Notification, priority: Priority, texts: Texts): boolean {
  if (rule.subscriptions !== null && !rule.subscriptions.has(source)) return false;
  if (rule.priorities !== null && !rule.priorities.has(priority)) return false;
  return rule.match === null || rule.match(texts);
}

function compileWhen({ name, when, set }: Rule) {
  return {
    name,
    priority: set.priority,
    subscriptions: when.subscriptions === undefined ? null : new Set(when.subscriptions),
    priorities: when.priorities === undefined ? null : new Set(when.priorities),
    match: when.match === undefined ? null : compileFilter(when.match),
  };
}

function compileLadder(steps: readonly Step[]): LadderPlan {
  return steps.map(({ to, destination, when, wait, unless, within }): LadderStep => {
    if (wait !== undefined) return { kind: "wait", ms: durationMs(wait) ?? 0 };
    if (unless !== undefined) return { kind: "unless", proof: unless, ms: durationMs(within ?? "") ?? 0 };
    return { kind: "rung", to: to ?? null, id: destination ?? null, holds: compileCondition(when) };
  });
}

function compileNamed(
  ladder: string | readonly Step[] | undefined,
  ladders: ReadonlyMap<string, LadderPlan>,
): LadderPlan | undefined {
  if (ladder === undefined) return undefined;
  return typeof ladder === "string" ? ladders.get(ladder) : compileLadder(ladder);
}

function compileOptional(digest: Digest | undefined, zone: string): DigestPlan | undefined {
  return digest === undefined ? undefined : compileDigest(digest, zone);
}

function mutedUntilAt(mute: Mute | undefined): number | undefined {
  if (mute === undefined || mute === false) return undefined;
  return mute === true ? Number.POSITIVE_INFINITY : muteUntilAt(mute.until);
}
