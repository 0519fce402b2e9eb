import { expect, test } from "vitest";
import { Patience, TAKE_AGAIN } from "./patience.ts";

test("pauses double to a minute, shards that fail together count once, and a cause is said once", () => {
  let now = 0;
  const patience = new Patience(
    () => now,
    () => 0.999_999,
  );
  const pauses: number[] = [];
  let news = 0;
  for (let round = 0; round < 7; round++) {
    for (let shard = 0; shard < 16; shard++) {
      const { pauseMs, isNews } = patience.failed("DiskError");
      if (shard === 0) pauses.push(pauseMs);
      if (isNews) news++;
    }
    now += TAKE_AGAIN.maxMs;
  }
  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  expect(news).toBe(1);
  expect(patience.failed("ClaimRefusedError").isNews).toBe(true);
});

test("a shard that is served ends it, but not beside others that fail", () => {
  let now = 0;
  const patience = new Patience(() => now);
  patience.failed("DiskError");
  patience.succeeded();
  expect(patience.isTried).toBe(true);
  now = TAKE_AGAIN.firstMs;
  expect(patience.isWaiting).toBe(false);
  patience.succeeded();
  expect(patience.isTried).toBe(false);
});
