import fc from "fast-check";
import { expect, test } from "vitest";
import { type Arrivals, arrive, type Cap } from "./burst.ts";
import { dedupKey } from "./dedup-key.ts";
import { isPastRetention } from "./retention.ts";
import { aNotification } from "./scene.ts";
import { mayUseSms } from "./sms-budget.ts";

/** What each of `times` has to wait for. */
function waits(times: readonly number[], cap: Cap): (number | null)[] {
  let arrivals: Arrivals = [];
  return times.map((nowAt) => {
    const next = arrive(arrivals, cap, nowAt);
    arrivals = next.arrivals;
    return next.burstUntilAt;
  });
}

test("of fifty at once the first five come by themselves and the rest together", () => {
  const all = waits(
    Array.from({ length: 50 }, (_, at) => at),
    { most: 5, withinMs: 600_000 },
  );
  expect(all.slice(0, 5)).toEqual([null, null, null, null, null]);
  expect(new Set(all.slice(5))).toEqual(new Set([600_000]));
});

test("after the window they come by themselves again, and never more than the cap in any window", () => {
  const cap = { most: 3, withinMs: 1_000 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 })), (gaps) => {
      let nowAt = 0;
      const times = gaps.map((gap) => (nowAt += gap));
      const all = waits(times, cap);
      const alone = times.filter((_, at) => all[at] === null);
      for (const time of alone)
        expect(alone.filter((at) => at <= time && time - at < 1_000).length).toBeLessThanOrEqual(3);
      for (const [at, untilAt] of all.entries())
        if (untilAt !== null) expect(untilAt).toBeGreaterThan(times[at] ?? 0);
    }),
  );
});

test("the same link or title in any case is the same, and what has no link is like nothing", () => {
  const key = (rest: Parameters<typeof aNotification>[0], by: "link" | "title") =>
    dedupKey(aNotification(rest), by);
  expect(key({ title: " ROOMS" }, "title")).toBe(key({ title: "Rooms " }, "title"));
  expect(key({ link: "https://a/1" }, "link")).not.toBe(key({ link: "https://a/2" }, "link"));
  expect(key({ link: null }, "link")).toBeNull();
});

test("the more urgent, the more of the budget; nobody gets more than all of it", () => {
  const order = ["min", "low", "default", "high", "urgent"] as const;
  fc.assert(
    fc.property(fc.nat(30), fc.nat(30), (sent, most) => {
      const allowed = order.map((priority) => mayUseSms(priority, sent, most));
      expect(allowed).toEqual(allowed.toSorted((a, b) => Number(a) - Number(b)));
      expect(allowed[4]).toBe(sent < most);
    }),
  );
});

test("what is as old as the retention is past it", () => {
  expect(isPastRetention(0, 10, 9)).toBe(false);
  expect(isPastRetention(0, 10, 10)).toBe(true);
});
