/**
 * The invariants of delivery.md over what was recorded. Pure: each takes values and returns the violations it finds.
 *
 *     I1 nothing lost   I2 nothing doubled in a history   I3 a repeat has the same id   I4 order of each source
 *     I5 no effect of a deposed owner   I6 no acknowledgement before its record   I7 bounded memory   I8 all returns to zero
 *
 * Beside them `figures`: what operators are told is the truth.
 */
export interface Violation {
  readonly invariant: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "figures";
  /** With the concrete names and ids. */
  readonly what: string;
}

export interface HistoryEntry {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly state: string;
}

export interface HeardMessage {
  readonly id: string;
  readonly originId: string;
  readonly title: string;
}

/** Violations of one kind that are told in full; the rest is counted. */
const TOLD = 5;

/** I1: every published title is in the history of `who`. */
export function nothingLost(
  who: string,
  published: Iterable<string>,
  history: readonly HistoryEntry[],
): Violation[] {
  const there = new Set(history.map(({ title }) => title));
  const lost = [...published].filter((title) => !there.has(title));
  return told("I1", lost, (title) => `${who} never got "${title}" into the history`);
}

/** I2: no id and no title stands twice in the history of `who`. */
export function nothingDoubled(who: string, history: readonly HistoryEntry[]): Violation[] {
  return [
    ...told(
      "I2",
      repeated(history.map(({ id }) => id)),
      (id) => `${who} has the id ${id} twice in the history`,
    ),
    ...told(
      "I2",
      repeated(history.map(({ title }) => title)),
      (title) => `${who} has "${title}" twice in the history`,
    ),
  ];
}

/** I3: one title always comes with one id, which is its origin-id (XEP-0359) and that of the history. */
export function repeatsAreRecognisable(
  who: string,
  heard: readonly HeardMessage[],
  history: readonly HistoryEntry[],
): Violation[] {
  const ids = new Map(history.map(({ id, title }) => [title, id]));
  const wrong: string[] = [];
  for (const { id, originId, title } of heard) {
    const first = ids.get(title);
    if (first === undefined) ids.set(title, id);
    else if (first !== id) wrong.push(`${who} heard "${title}" as ${id} and knows it as ${first}`);
    if (originId !== id)
      wrong.push(`${who} heard "${title}" with the id ${id} and the origin-id ${originId}`);
  }
  return told("I3", wrong, (sentence) => sentence);
}

/** Splits `feed-3 #17`; null for what is no numbered item. */
export function numbered(title: string): { readonly feed: string; readonly number: number } | null {
  const [, feed, number] = /^(.+) #(\d+)$/.exec(title) ?? [];
  return feed === undefined ? null : { feed, number: Number(number) };
}

/** I4: `titles`, in the order in which `who` got them, count up for each feed. What came before already is no matter. */
export function inOrder(who: string, titles: readonly string[]): Violation[] {
  return told("I4", lateIn(titles), ({ title, last }) => `${who} got "${title}" behind #${last}`);
}

/** Those of `titles` that came behind a higher one of their feed. */
export function lateAmong(titles: readonly string[]): string[] {
  return lateIn(titles).map(({ title }) => title);
}

function lateIn(titles: readonly string[]): { readonly title: string; readonly last: number }[] {
  const highest = new Map<string, number>();
  const late: { title: string; last: number }[] = [];
  for (const title of new Set(titles)) {
    const item = numbered(title);
    if (item === null) continue;
    const last = highest.get(item.feed) ?? 0;
    if (item.number < last) late.push({ title, last });
    highest.set(item.feed, Math.max(last, item.number));
  }
  return late;
}

/** One effect that was seen to arrive: in the order of arrival at one receiver. */
export interface SeenEffect {
  /** Receiver and the stream it came on: effects of one such key are in order. */
  readonly at: string;
  readonly shard: number;
  readonly epoch: number;
  readonly what: string;
}

/** I5: at each receiver the epochs of a shard's effects never go down. */
export function noEffectOfTheDeposed(effects: readonly SeenEffect[]): Violation[] {
  const highest = new Map<string, number>();
  const wrong: string[] = [];
  for (const { at, shard, epoch, what } of effects) {
    const key = `${at} ${shard}`;
    const last = highest.get(key) ?? 0;
    if (epoch < last)
      wrong.push(`${what} of shard ${shard}, epoch ${epoch}, reached ${at} behind epoch ${last}`);
    highest.set(key, Math.max(last, epoch));
  }
  return told("I5", wrong, (sentence) => sentence);
}

/** I7: no process is above `bound` (bytes). */
export function memoryBounded(used: ReadonlyMap<string, number>, bound: number): Violation[] {
  const megabytes = (bytes: number) => Math.round(bytes / 1_000_000);
  const above = [...used].filter(([, bytes]) => bytes > bound);
  return told(
    "I7",
    above,
    ([process, bytes]) => `${process} takes ${megabytes(bytes)} MB, more than ${megabytes(bound)} MB`,
  );
}

/** I8: every counter of what waits is 0. */
export function nothingWaits(counters: Readonly<Record<string, number>>): Violation[] {
  const left = Object.entries(counters).filter(([, count]) => count !== 0);
  return told("I8", left, ([name, count]) => `${count} left in ${name}`);
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const value of values) (seen.has(value) ? again : seen).add(value);
  return [...again];
}

function told<T>(
  invariant: Violation["invariant"],
  all: readonly T[],
  sentence: (one: T) => string,
): Violation[] {
  const violations = all.slice(0, TOLD).map((one) => ({ invariant, what: sentence(one) }));
  const more = all.length - violations.length;
  return more > 0 ? [...violations, { invariant, what: `and ${more} more like it` }] : violations;
}
