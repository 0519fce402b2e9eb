/**
 * Load that doubles has a host added, and load that goes has it taken away again, time and again, with nobody's word. On an
 * installation with one host at first, and with checkpoints that are not load by themselves, as in the other plays.
 */
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import { verdictOn } from "../cast.ts";
import { hasHeardEverything } from "../checks.ts";
import type { Violation } from "../invariants.ts";
import type { NumberedFeed } from "../numbered-feed.ts";
import { Operators } from "../operators.ts";
import { Program } from "../program.ts";
import type { Stage } from "../stage.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

const CYCLES = 1;
const LONG_CYCLES = 20;
const SUBSCRIBERS = 20;
const FEEDS = 16;
/** What has changed is load once more when it is written, half to all of this later. */
const CHECKPOINT_SECONDS = 15;
/**
 * Items of all feeds together in a second, each for every subscriber, that are tried as the usual load: the first of which twice is
 * clearly more work for this machine. With no more than twice the feeds each item comes by itself; what comes together is less work.
 */
const USUAL_PER_SECOND = [1, 2, 4, 8, 16];
/**
 * The share of its time by which a host must be busier with twice the load. The same load makes a host 4 in a hundred busier at one
 * time than at another (checkpoints, who wakes); with less than three times that between them, the usual load may count as busy.
 */
const CLEARLY_MORE = 0.12;
/** Of the way from what a host is with the usual load to what it is with twice of it, where it counts as busy. */
const BETWEEN = 0.6;
/** So seldom that what is posted is no load. */
const POST_EVERY_MS = 1_000;
/** What moved has to wake first, with half of the load: a host is half as busy again for the first eight seconds (milliseconds). */
const WAKING_MS = 15_000;
/** More than twice what the monitor looks at before it adds a host (milliseconds). */
const USUAL_MS = 20_000;
/** A load is looked at when a host has told of it alone, and each of its words counts (milliseconds). */
const BEGUN_MS = 6_000;
const TOLD_EVERY_MS = 3_000;
const TOLD_TIMES = 5;
/** From the moment when the load has doubled until both hosts have their shares (milliseconds). */
const SPREAD_WITHIN_MS = 30_000;
/** The last checkpoints, a minute of little to do, and what it takes to give shards back, twice (milliseconds). */
const GONE_WITHIN_MS = 240_000;

export const demandCycles: Scenario = {
  name: "demand-cycles",
  sentence:
    "load doubles and goes again: a host is added with its share within 30 s, and drained; no message later than 2 s",
  needs: { hosts: 1, checkpointSeconds: CHECKPOINT_SECONDS },
  play: (stage) => play(stage, CYCLES),
  playLong: (stage) => play(stage, LONG_CYCLES),
};

async function play(stage: Stage, cycles: number): Promise<Violation[]> {
  const feeds = await Promise.all(Array.from({ length: FEEDS }, (_, at) => stage.feed(`feed-${at + 1}`)));
  const people = await Promise.all(Array.from({ length: SUBSCRIBERS }, () => subscriber(stage, feeds)));
  const program = await Program.open(stage);
  const { usual, busyPercent } = await loadOf(stage, feeds);
  const settings = { TIDINGS_HOSTS_BUSY_PERCENT: String(busyPercent) };
  const flow = new Flow(feeds);
  const violations = await stage.monitored(async () => {
    const operators = new Operators(stage);
    const isOver = new AbortController();
    const [posting, flowing] = [program.posts(POST_EVERY_MS, isOver.signal), flow.runs(isOver.signal)];
    const found: Violation[] = [];
    try {
      for (let cycle = 0; cycle < cycles; cycle++)
        found.push(...(await comesAndGoes(stage, operators, flow, usual)));
    } finally {
      isOver.abort();
      await Promise.all([posting, flowing]);
    }
    await Promise.all(people.map((person) => hasHeardEverything(person)));
    return [...found, ...(await program.lateness()), ...(await operators.areToldTheTruth())];
  }, settings);
  return [...violations, ...(await verdictOn(stage, people))];
}

/** The usual load (items a second), and what counts as busy between it and twice of it; both are this machine's own. */
function loadOf(
  stage: Stage,
  feeds: readonly NumberedFeed[],
): Promise<{ readonly usual: number; readonly busyPercent: number }> {
  const flow = new Flow(feeds);
  return stage.monitored(async () => {
    const isOver = new AbortController();
    const flowing = flow.runs(isOver.signal);
    try {
      for (const usual of USUAL_PER_SECOND) {
        const [once, twice] = [await busyWith(stage, flow, usual), await busyWith(stage, flow, 2 * usual)];
        if (twice - once < CLEARLY_MORE) continue;
        return { usual, busyPercent: Math.round((once + (twice - once) * BETWEEN) * 100) };
      }
      throw new Error(`${SUBSCRIBERS} subscribers of ${FEEDS} feeds keep no host busy on this machine`);
    } finally {
      isOver.abort();
      await flowing;
    }
  });
}

/** How busy a host is with so many items a second, on the mean. */
async function busyWith(stage: Stage, flow: Flow, perSecond: number): Promise<number> {
  const operators = new Operators(stage);
  flow.perSecond = perSecond;
  await pause(BEGUN_MS);
  let busy = 0;
  for (let time = 0; time < TOLD_TIMES; time++) {
    await pause(TOLD_EVERY_MS);
    busy += Math.max(...(await operators.busy())) / TOLD_TIMES;
  }
  stage.tell(`${perSecond} items a second for ${SUBSCRIBERS} people: ${percent([busy])} busy`);
  return busy;
}

async function subscriber(stage: Stage, feeds: readonly NumberedFeed[]): Promise<Subscriber> {
  const person = await stage.person("erin");
  await Promise.all([...feeds.map((feed) => person.follows(feed)), person.client.comesOnline()]);
  await person.isSeen();
  return person;
}

function percent(busy: readonly number[]): string {
  return busy.map((share) => `${Math.round(share * 100)} %`).join(" and ");
}

/** One cycle: the usual load, which one host carries; twice of it, until another one has its share; little, until it is gone. */
async function comesAndGoes(
  stage: Stage,
  operators: Operators,
  flow: Flow,
  perSecond: number,
): Promise<Violation[]> {
  flow.perSecond = perSecond / 2;
  await pause(WAKING_MS);
  flow.perSecond = perSecond;
  await pause(USUAL_MS);
  await operators.seeSpread(1);
  const usual = await operators.busy();
  flow.perSecond = 2 * perSecond;
  const doubledMs = performance.now();
  await eventually(() => operators.seeSpread(2), { withinMs: SPREAD_WITHIN_MS * 2 });
  const addedMs = Math.round(performance.now() - doubledMs);
  const doubled = await operators.busy();
  flow.perSecond = 0;
  const goneMs = performance.now();
  await eventually(() => operators.seeSpread(1), { withinMs: GONE_WITHIN_MS });
  const takenMs = Math.round(performance.now() - goneMs);
  stage.tell(
    `a host was added ${addedMs} ms after load had doubled (${percent(usual)} busy before, ${percent(doubled)} after), ` +
      `and gone ${takenMs} ms after load had`,
  );
  const what = `two hosts had their shares ${addedMs} ms after load had doubled`;
  return addedMs > SPREAD_WITHIN_MS ? [{ invariant: "I1", what }] : [];
}

/** Publishes in the feeds in turn, as many items in a second as it is told. */
class Flow {
  readonly #feeds: readonly NumberedFeed[];
  perSecond = 0;

  constructor(feeds: readonly NumberedFeed[]) {
    this.#feeds = feeds;
  }

  async runs(over: AbortSignal): Promise<void> {
    let due = 0;
    let lastMs = performance.now();
    for (let turn = 0; !over.aborted; ) {
      await pause(100);
      const nowMs = performance.now();
      due += ((nowMs - lastMs) / 1_000) * this.perSecond;
      lastMs = nowMs;
      for (; due >= 1; due--) this.#feeds[turn++ % this.#feeds.length]?.publishes();
    }
  }
}
