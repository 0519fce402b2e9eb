import { expect, test } from "vitest";
import { loadOf } from "./load.ts";
import type { Shard } from "./shard/shard.ts";

function shard(number: number, firstAt: () => number | null): Shard {
  return {
    number,
    epoch: 3,
    alarms: {
      get firstAt() {
        return firstAt();
      },
    },
  } as unknown as Shard;
}

const closed = () => {
  throw new Error("statement has been finalized");
};
const STATUS = { shards: 2, awakeAvatars: 5, framesWaiting: 1, parkedStreams: 0 };

test("a host tells of the shards that it serves; one that is being given back is not asked, for it may be closed", () => {
  const served = [
    { shard: shard(9, () => 2_000), isLeaving: false },
    { shard: shard(4, () => null), isLeaving: false },
    { shard: shard(7, closed), isLeaving: true },
  ];
  expect(loadOf("life", STATUS, served)).toEqual({
    inc: "life",
    shards: [
      { shard: 4, epoch: 3 },
      { shard: 9, epoch: 3 },
    ],
    awakeAvatars: 5,
    framesWaiting: 1,
    parkedStreams: 0,
    nextAlarmAt: 2_000,
  });
});
