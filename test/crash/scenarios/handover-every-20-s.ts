/** Every 20 s a host is stopped in order and comes back, while items flow: its shards go to the other one and return. */
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import { gather, judge } from "../cast.ts";
import type { Violation } from "../invariants.ts";
import { type NumberedFeed, titleOf } from "../numbered-feed.ts";
import type { Random } from "../random.ts";
import { nameOfHost, type Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Subscriber } from "../subscriber.ts";
import type { Scenario } from "./scenario.ts";

const EVERY_MS = 20_000;
const ROUNDS = 4;
const ITEM_EVERY_MS = 50;
/** A feed is asked once a second, and once more after a result that its old owner has not taken (milliseconds). */
const LATE_MS = 6_000;
const GIVEN_BACK_WITHIN_MS = 10_000;

export const handoverEvery20s: Scenario = {
  name: "handover-every-20-s",
  sentence: "a planned hand-over every 20 s under load: no item comes late by more than a few seconds",
  play: async (stage, random) => {
    const cast = await gather(stage, 4);
    const publishedAt = new Map<string, number>();
    await Promise.all([publishSteadily(cast.feeds, publishedAt), handOver(stage, random)]);
    await stage.recovers();
    return [...(await judge(stage, cast)), ...lateAt(cast.alice, publishedAt)];
  },
};

async function publishSteadily(
  feeds: readonly NumberedFeed[],
  publishedAt: Map<string, number>,
): Promise<void> {
  const untilAtMs = performance.now() + EVERY_MS * ROUNDS;
  for (let turn = 0; performance.now() < untilAtMs; turn++) {
    const feed = feeds[turn % feeds.length] as NumberedFeed;
    feed.publishes();
    publishedAt.set(titleOf(feed.name, feed.published), Date.now());
    await pause(ITEM_EVERY_MS);
  }
}

async function handOver(stage: Stage, random: Random): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const afterMs = random.whole(1_000, 6_000);
    await pause(afterMs);
    const host = random.pick(stage.hosts);
    const before = stage.stack.service(host).restarts;
    stage.stops(host);
    await eventually(
      async () => {
        const left = (await stage.probe.owners()).filter((owner) => owner === nameOfHost(host)).length;
        mustHaveStruck(left === 0, `${host} still has ${left} shards`);
      },
      { withinMs: GIVEN_BACK_WITHIN_MS },
    );
    const isBack = () =>
      mustHaveStruck(stage.stack.service(host).restarts > before, `${host} was not started again`);
    await eventually(isBack, { withinMs: GIVEN_BACK_WITHIN_MS });
    await pause(EVERY_MS - afterMs);
  }
}

function lateAt({ name, client }: Subscriber, publishedAt: ReadonlyMap<string, number>): Violation[] {
  const first = new Map(client.heard.toReversed().map(({ title, at }) => [title, at]));
  const late = [...publishedAt].map(([title, at]) => ({ title, ms: (first.get(title) ?? 0) - at }));
  const worst = late.reduce((a, b) => (b.ms > a.ms ? b : a));
  if (worst.ms <= LATE_MS) return [];
  const count = late.filter(({ ms }) => ms > LATE_MS).length;
  const what = `${name} heard ${count} items later than ${LATE_MS} ms; "${worst.title}" after ${worst.ms} ms`;
  return [{ invariant: "I1", what }];
}
