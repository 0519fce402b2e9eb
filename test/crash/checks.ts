/** Looks at what a play has left, through the invariants. */
import { eventually } from "@tidings/testkit";
import {
  type HistoryEntry,
  inOrder,
  lateAmong,
  memoryBounded,
  noEffectOfTheDeposed,
  nothingDoubled,
  nothingLost,
  nothingWaits,
  numbered,
  repeatsAreRecognisable,
  type Violation,
} from "./invariants.ts";
import { type NumberedFeed, titleOf } from "./numbered-feed.ts";
import type { Heard, Recorder } from "./recorder.ts";
import type { Stage } from "./stage.ts";
import type { Subscriber, TraceEntry } from "./subscriber.ts";

/** Longest time from the end of the mishaps until all is where it belongs (milliseconds). */
const SETTLED_WITHIN_MS = 120_000;
/** What counts as bounded: no process of ours, and no server, above this (bytes). */
const MEMORY_BOUND = 600_000_000;

/** The titles of all numbered items of `feeds`, in order. */
export function titlesOf(feeds: Iterable<NumberedFeed>): string[] {
  return [...feeds].flatMap(({ name, published }) =>
    Array.from({ length: published }, (_, at) => titleOf(name, at + 1)),
  );
}

/** Resolves when `person` has every item of their feeds in the history, or the time is up: then the check tells. */
export async function hasEverything(person: Subscriber, withinMs = SETTLED_WITHIN_MS): Promise<void> {
  const expected = titlesOf(person.feeds.keys()).length;
  await untilTimeIsUp(async () => {
    const there = numberedIn(await person.titlesSoFar());
    if (there < expected) throw new Error(`${there} of ${expected}`);
  }, withinMs);
}

/** Resolves when the client of `person` has heard every item of their feeds, or the time is up. */
export async function hasHeardEverything(person: Subscriber, withinMs = SETTLED_WITHIN_MS): Promise<void> {
  const expected = titlesOf(person.feeds.keys()).length;
  await untilTimeIsUp(() => {
    const there = numberedIn(person.client.heard.map(({ title }) => title));
    if (there < expected) throw new Error(`${there} of ${expected}`);
  }, withinMs);
}

/** I1 to I4 for one person; `mustHear`: everything must have reached the client too. */
export async function checkPerson(person: Subscriber, mustHear: boolean): Promise<Violation[]> {
  const { name, client, feeds } = person;
  const published = titlesOf(feeds.keys());
  const history = await person.history();
  const heard = new Set(client.heard.map(({ title }) => title));
  const unheard = mustHear ? published.filter((title) => !heard.has(title)) : [];
  return [
    ...nothingLost(name, published, history),
    ...nothingLost(`${name}'s client`, unheard, []),
    ...(unheard.length > 0 ? [await whereabouts(person, unheard, history)] : []),
    ...nothingDoubled(name, history),
    ...repeatsAreRecognisable(name, client.heard, history),
    ...inOrder(`${name}'s history`, history.map(({ title }) => title).toReversed()),
    ...(await clientInOrder(person, history)),
  ];
}

/**
 * I4 at the client. What its own server had taken and then lost, as a server that is killed does, comes behind what came
 * meanwhile: once it had been handed, only the client's silence tells that it never arrived.
 */
async function clientInOrder(person: Subscriber, history: readonly HistoryEntry[]): Promise<Violation[]> {
  const { name, client } = person;
  const titles = titlesInTime(client);
  const late = new Set(lateAmong(titles));
  const traces = new Map<string, readonly TraceEntry[]>();
  for (const { id, title } of history) if (late.has(title)) traces.set(title, await person.trace(id));
  const kept = titles.filter((title) => !wasHandedInVain(traces.get(title) ?? []));
  const violations = inOrder(`${name}'s client${keptFor(client)}`, kept);
  return violations.length === 0
    ? []
    : [...violations, storyOf(client, lateAmong(kept)[0] as string, traces)];
}

/** Handed to the user's server, and held again: the client left without having confirmed it. */
function wasHandedInVain(trace: readonly TraceEntry[]): boolean {
  const states = trace.map(({ state }) => state);
  const handed = states.indexOf("handed");
  return handed >= 0 && states.indexOf("held", handed) > handed;
}

/** What Tidings says of one that came late, and when the client heard it: without that nobody finds out why. */
function storyOf(
  { heard }: Recorder,
  title: string,
  traces: ReadonlyMap<string, readonly TraceEntry[]>,
): Violation {
  const steps = (traces.get(title) ?? []).map(({ at, state, what }) => `${at} ${state}: ${what}`);
  const times = heard.filter((one) => one.title === title).map(({ at }) => new Date(at).toISOString());
  return { invariant: "I4", what: `${title}, heard at ${times.join(" and ")}: ${steps.join("; ")}` };
}

/** How much of what the client heard its own server had kept for it: so that who reads of a wrong order can tell whose it is. */
function keptFor({ heard }: Recorder): string {
  const kept = heard.filter(({ isDelayed }) => isDelayed).map(({ title }) => title);
  return kept.length === 0 ? "" : ` (kept by its server: ${kept.length}, from ${kept[0]} to ${kept.at(-1)})`;
}

/**
 * What the client has heard, in that order. Where it flapped without what its server had kept for it, repeats of that
 * included: such a server may send it behind what came straight.
 */
function titlesInTime({ heard, hasFlapped }: Recorder): string[] {
  const firsts = new Map<string, Heard>();
  for (const message of heard) if (!firsts.has(message.title)) firsts.set(message.title, message);
  return [...firsts.values()].filter(({ isDelayed }) => !(isDelayed && hasFlapped)).map(({ title }) => title);
}

/** What Tidings knows of somebody whose client missed something: the states of what it missed, and their presence. */
async function whereabouts(
  person: Subscriber,
  unheard: readonly string[],
  history: readonly HistoryEntry[],
): Promise<Violation> {
  const states = new Map(history.map(({ title, state }) => [title, state]));
  const counts = Object.entries(Object.groupBy(unheard, (title) => states.get(title) ?? "missing"));
  const missed = counts.map(([state, titles]) => `${titles?.length} ${state}`).join(", ");
  const isOnline = person.client.isOnline ? "online" : "offline";
  const presence = JSON.stringify(await person.presence());
  return {
    invariant: "I1",
    what: `of what ${person.name} missed, being ${isOnline}: ${missed}; presence ${presence}`,
  };
}

/** How many numbered items have these titles, each counted once. */
function numberedIn(titles: Iterable<string>): number {
  return new Set([...titles].filter((title) => numbered(title) !== null)).size;
}

/** I7. */
export function checkMemory(stage: Stage): Violation[] {
  return memoryBounded(stage.memory.peaks, MEMORY_BOUND);
}

/** I5 and I6, by what was seen on the links. A watch that has seen nothing has proven nothing. */
export function checkLinks(stage: Stage): Violation[] {
  const { effects, acks } = stage.links;
  if (effects.count === 0)
    return [{ invariant: "I5", what: "no frame and no dispatch was seen on any link: the watch is blind" }];
  if (acks.count === 0)
    return [{ invariant: "I6", what: "no acknowledgement was seen on any link: the watch is blind" }];
  return [...noEffectOfTheDeposed(effects.effects), ...acks.violations];
}

/** I8: resolves when nothing waits anywhere, or the time is up. To be asked when nobody follows a feed any more. */
export async function checkQuiet(stage: Stage, withinMs = SETTLED_WITHIN_MS): Promise<Violation[]> {
  const look = async () => {
    refuse(nothingWaits(await stage.probe.waiting()));
    // Asked last, and once: it takes a node of Erlang.
    refuse(nothingWaits(await stage.probe.unsettled()));
    return [];
  };
  try {
    return await eventually(look, { withinMs });
  } catch (error) {
    if (error instanceof NotQuietError) return [...error.violations];
    return [{ invariant: "I8", what: `what waits cannot be read: ${String(error)}` }];
  }
}

function refuse(violations: readonly Violation[]): void {
  if (violations.length > 0) throw new NotQuietError(violations);
}

class NotQuietError extends Error {
  override readonly name = "NotQuietError";
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ what }) => what).join("; "));
    this.violations = violations;
  }
}

/** What is missing when the time is up is told by the check that follows, item by item. */
async function untilTimeIsUp(look: () => void | Promise<void>, withinMs: number): Promise<void> {
  await eventually(look, { withinMs }).catch(() => null);
}
