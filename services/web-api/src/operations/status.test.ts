import type { FleetView, HostLoad, HostView } from "@tidings/protocol";
import { expect, test } from "vitest";
import { type Known, statusOf } from "./status.ts";

function host(
  id: string,
  shards: readonly number[],
  more: Partial<HostView> = {},
  parkedStreams = 0,
): HostView {
  const load = {
    inc: id,
    shards: shards.map((shard) => ({ shard, epoch: 3 })),
    awakeAvatars: 5,
    commitsPerSecond: 1,
    busy: 0.4,
    loopDelayMs: 10,
    residentBytes: 1_000,
    framesWaiting: 0,
    parkedStreams,
    nextAlarmAt: null,
  } satisfies HostLoad;
  return { id, state: "serving", seenAt: 1, load, ...more };
}

const all = Array.from({ length: 64 }, (_, shard) => shard);

function known(fleet: Partial<FleetView>, more: Partial<Known> = {}): Known {
  const hosts = [host("h1", all.slice(0, 32)), host("h2", all.slice(32))];
  const whole = { hosts, wanted: 2, least: 2, most: 4, problem: null, decisions: [], ...fleet };
  return {
    fleet: whole,
    queues: [{ queue: "tidings.dead", waiting: 0 }],
    deadLetters: 0,
    hasMore: false,
    ...more,
  };
}

test("all is well in one line", () => {
  expect(statusOf(known({}))).toEqual({
    isWell: true,
    sentence: "All well: 2 hosts, 64 of 64 shards served, 0 messages wait",
    troubles: [],
    hosts: 2,
    shards: 64,
    waiting: 0,
    deadLetters: 0,
  });
});

test("nobody awake and no host wanted is well", () => {
  const status = statusOf(known({ hosts: [], wanted: 0 }));
  expect(status).toMatchObject({ isWell: true, hosts: 0, shards: 0 });
});

test("whatever is wrong is said, each in a sentence", () => {
  const hosts = [host("h1", all.slice(0, 60), {}, 2), host("h2", all.slice(60), { state: "silent" })];
  const queues = [{ queue: "tidings.shard.s1.7", waiting: 4_000 }];
  const status = statusOf(
    known({ hosts, problem: "no room on this machine" }, { queues, deadLetters: 200, hasMore: true }),
  );
  expect(status.sentence).toBe("Not well: 1 host, 60 of 64 shards served, 4000 messages wait");
  expect(status.troubles).toEqual([
    "Hosts cannot be started or stopped: no room on this machine.",
    "1 host serves, 2 are wanted.",
    "4 shards have no host; what is for them waits.",
    "h2 runs and says nothing.",
    "h1 has 2 streams of frames that nobody acknowledges.",
    "4000 messages wait in tidings.shard.s1.7.",
    "More than 200 dead letters can be replayed.",
  ]);
});

test("a monitor that does not answer is said, and the rest is still told", () => {
  const status = statusOf({ ...known({}), fleet: null });
  expect(status.sentence).toBe("Not well: 0 messages wait");
  expect(status.troubles).toEqual([
    "The monitor does not answer: hosts go on, and nobody adds or replaces one.",
  ]);
});
