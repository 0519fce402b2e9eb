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
const FEEDS = 8;
/** What has changed is load once more when it is written, half to all of this later. */
const CHECKPOINT_SECONDS = 15;
/** Little to do: so many items of all feeds together in a second, each for every subscriber. */
const LITTLE_PER_SECOND = 1;
/**
 * A host is busy from three times what it is with little to do, within bounds: the machine, and those who hear, must have room for
 * twice the load, and what one host is with nothing to do must be clearly less than what two may be. What comes more often is
 * written more together, so twice the load is less than twice the work.
 */
const BUSY_BY_LITTLE = 3;
const LEAST_BUSY = 0.2;
const MOST_BUSY = 0.5;
/** What is more than any machine does. */
const MOST_PER_SECOND = 200;
/** So much the load grows until it is enough: what one machine carries is many times what another one does. */
const STEP = 0.5;
const GROWTH = 1.4;
/**
 * By so much the doubled load is above what the monitor adds a host for, so that it is not a matter of chance when it does; a host
 * that has run for a while does the same with less.
 */
const CLEARLY = 1;
const CLEARLY_SHARE = 1.3;
/** So seldom that what is posted is no load. */
const POST_EVERY_MS = 1_000;
const USUAL_MS = 12_000;
/** So long the monitor looks at a load, and a host takes to start (milliseconds). */
const JUDGED_MS = 18_000;
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
  const settings = { TIDINGS_HOSTS_BUSY_PERCENT: await busyPercent(stage, feeds) };
  const flow = new Flow(feeds);
  const violations = await stage.monitored(async () => {
    const operators = new Operators(stage);
    const isOver = new AbortController();
    const [posting, flowing] = [program.posts(POST_EVERY_MS, isOver.signal), flow.runs(isOver.signal)];
    const found: Violation[] = [];
    try {
      const usual = await usualLoad(stage, operators, flow);
      flow.perSecond = 0;
      await eventually(() => operators.seeSpread(1), { withinMs: GONE_WITHIN_MS });
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

/** What counts as busy on this machine, as TIDINGS_HOSTS_BUSY_PERCENT has it. */
function busyPercent(stage: Stage, feeds: readonly NumberedFeed[]): Promise<string> {
  const flow = new Flow(feeds);
  flow.perSecond = LITTLE_PER_SECOND;
  return stage.monitored(async () => {
    const isOver = new AbortController();
    const flowing = flow.runs(isOver.signal);
    await pause(JUDGED_MS);
    const little = Math.max(...(await new Operators(stage).busy()));
    isOver.abort();
    await flowing;
    const busyFrom = Math.min(MOST_BUSY, Math.max(LEAST_BUSY, little * BUSY_BY_LITTLE));
    stage.tell(`${percent([little])} busy with little to do: ${percent([busyFrom])} is busy`);
    return String(Math.round(busyFrom * 100));
  });
}

async function subscriber(stage: Stage, feeds: readonly NumberedFeed[]): Promise<Subscriber> {
  const person = await stage.person("erin");
  await Promise.all([...feeds.map((feed) => person.follows(feed)), person.client.comesOnline()]);
  await person.isSeen();
  return person;
}

/** Items a second that one host carries, by the monitor's own judgement of this machine; the host that it added is still there. */
async function usualLoad(stage: Stage, operators: Operators, flow: Flow): Promise<number> {
  for (let perSecond = LITTLE_PER_SECOND; perSecond < MOST_PER_SECOND; perSecond = more(perSecond)) {
    flow.perSecond = perSecond;
    await pause(JUDGED_MS);
    const busy = await operators.busy();
    stage.tell(`${perSecond} items a second for ${SUBSCRIBERS} people: ${percent(busy)} busy`);
    if (busy.length > 1) return Math.max(perSecond + CLEARLY, perSecond * CLEARLY_SHARE) / 2;
  }
  throw new Error(`${MOST_PER_SECOND} items a second do not keep a host busy`);
}

/** In whole steps, a step more at least. */
function more(perSecond: number): number {
  return Math.ceil((perSecond * GROWTH) / STEP) * STEP;
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
