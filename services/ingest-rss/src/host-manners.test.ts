import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HostManners, type PostponedError } from "./host-manners.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const polite = () => new HostManners({ isExempt: async (name) => name === "own.test" });

/** What has become of the turns that were asked for. */
function asks(manners: HostManners, host: string, count: number) {
  const seen = { begun: [] as number[], overs: [] as (() => void)[], postponed: [] as number[] };
  for (let n = 0; n < count; n++)
    manners.turn(host).then(
      (over) => {
        seen.begun.push(performance.now());
        seen.overs.push(over);
      },
      (error: PostponedError) => seen.postponed.push(Math.round(error.againInMs)),
    );
  return seen;
}

test("a host gets one request a second, and whoever would wait long a second of their own later on", async () => {
  const seen = asks(polite(), "a.test", 10);
  for (let second = 0; second < 8; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (const over of seen.overs.splice(0)) over();
  }
  const [first = 0] = seen.begun;
  expect(seen.begun.map((ms) => Math.round((ms - first) / 1_000))).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seen.postponed).toEqual([7_000, 8_000, 9_000, 10_000]);
});

test("two at a time, also when they take long; the third goes when one is over", async () => {
  const seen = asks(polite(), "a.test", 3);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen.begun).toHaveLength(2);
  seen.overs[0]?.();
  seen.overs[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.begun).toHaveLength(3);
});

test("one host keeps no other waiting, and who is exempt waits for nobody", async () => {
  const manners = polite();
  asks(manners, "a.test", 20);
  const [other, own] = [asks(manners, "b.test", 1), asks(manners, "own.test", 50)];
  await vi.advanceTimersByTimeAsync(0);
  expect([other.begun.length, own.begun.length]).toEqual([1, 50]);
});

test("who was sent away finds the place free when they come again", async () => {
  const manners = polite();
  const first = asks(manners, "a.test", 30);
  await vi.advanceTimersByTimeAsync(0);
  const again = first.postponed.map((ms) => ms);
  let begun = 0;
  for (const ms of again)
    setTimeout(() => {
      manners.turn("a.test").then((over) => {
        begun++;
        over();
      });
    }, ms);
  for (let second = 0; second < 60; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (const over of first.overs.splice(0)) over();
  }
  expect(begun).toBe(again.length);
});
