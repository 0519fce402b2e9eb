import fc from "fast-check";
import { expect, test } from "vitest";
import { compileDigest } from "./digest-time.ts";
import { compileQuietHours } from "./quiet-hours.ts";

/** Berlin: on 2026-03-29 the clock goes from 02:00 to 03:00, on 2026-10-25 from 03:00 back to 02:00. */
const BERLIN = "Europe/Berlin";
const night = { from: "22:00", to: "07:00" };
const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;
const quiet = (text: string, ...hours: Parameters<typeof compileQuietHours>[0]) => {
  const untilAt = compileQuietHours(hours, BERLIN)(at(text));
  return untilAt === null ? null : new Date(untilAt).toISOString();
};

test("hours over midnight are quiet on both sides of it, from their first minute to the minute before their last", () => {
  expect(quiet("2026-01-14T21:59:59+01:00", night)).toBeNull();
  expect(quiet("2026-01-14T22:00:00+01:00", night)).toBe("2026-01-15T06:00:00.000Z");
  expect(quiet("2026-01-15T06:59:59+01:00", night)).toBe("2026-01-15T06:00:00.000Z");
  expect(quiet("2026-01-15T07:00:00+01:00", night)).toBeNull();
});

test("the weekday is that of the evening: Friday's hours last into Saturday, Saturday's do not begin", () => {
  const hours = { ...night, days: ["fri" as const] };
  expect(quiet("2026-01-17T03:00:00+01:00", hours)).toBe("2026-01-17T06:00:00.000Z");
  expect(quiet("2026-01-17T23:00:00+01:00", hours)).toBeNull();
});

test("the night in which the clock goes forward is an hour shorter", () => {
  expect(quiet("2026-03-28T22:00:00+01:00", night)).toBe("2026-03-29T05:00:00.000Z");
});

test("the night in which the clock goes back is an hour longer", () => {
  expect(quiet("2026-10-24T22:00:00+02:00", night)).toBe("2026-10-25T06:00:00.000Z");
});

test("hours that end at a time that comes twice end at the second, those that begin there at the first", () => {
  expect(quiet("2026-10-25T00:10:00Z", { from: "01:00", to: "02:30" })).toBe("2026-10-25T01:30:00.000Z");
  expect(quiet("2026-10-25T00:31:00Z", { from: "02:30", to: "04:00" })).toBe("2026-10-25T03:00:00.000Z");
});

test("hours at a time that the clock skips are taken after the skip", () => {
  expect(quiet("2026-03-29T01:10:00Z", { from: "02:30", to: "04:00" })).toBeNull();
  expect(quiet("2026-03-29T01:30:00Z", { from: "02:30", to: "04:00" })).toBe("2026-03-29T02:00:00.000Z");
  expect(quiet("2026-03-29T00:30:00Z", { from: "01:00", to: "02:30" })).toBe("2026-03-29T01:30:00.000Z");
});

test("hours that touch or overlap are one, whatever their zones", () => {
  const early = { from: "05:30", to: "09:00", zone: "Europe/London" };
  expect(quiet("2026-01-14T23:00:00+01:00", night, early)).toBe("2026-01-15T09:00:00.000Z");
});

const zones = fc.constantFrom(BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC");
const timeOfDay = fc
  .integer({ min: 0, max: 1_439 })
  .map(
    (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`,
  );
const times = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2027-12-31T00:00:00Z") });

test("quiet hours always end, within a day and an hour, and what was asked before does not change the answer", () => {
  fc.assert(
    fc.property(
      zones,
      timeOfDay,
      timeOfDay,
      fc.array(times, { minLength: 1, maxLength: 8 }),
      (zone, from, to, asked) => {
        fc.pre(from !== to);
        const kept = compileQuietHours([{ from, to }], zone);
        for (const time of asked) {
          const untilAt = kept(time);
          expect(untilAt).toBe(compileQuietHours([{ from, to }], zone)(time));
          if (untilAt === null) continue;
          expect(untilAt).toBeGreaterThan(time);
          expect(untilAt - time).toBeLessThanOrEqual(25 * 3_600_000);
          expect(kept(untilAt)).toBeNull();
        }
      },
    ),
  );
});

test("a digest at a time of day comes at that local time, also after the clock has changed", () => {
  const { nextAfter } = compileDigest({ at: "08:00" }, BERLIN);
  expect(new Date(nextAfter(at("2026-03-28T08:00:00+01:00"))).toISOString()).toBe("2026-03-29T06:00:00.000Z");
  expect(new Date(nextAfter(at("2026-10-24T12:00:00+02:00"))).toISOString()).toBe("2026-10-25T07:00:00.000Z");
});

test("a digest at a time that comes twice or never goes out once, and one on weekdays waits for them", () => {
  const { nextAfter } = compileDigest({ at: "02:30" }, BERLIN);
  const first = nextAfter(at("2026-10-25T00:00:00+02:00"));
  expect(new Date(first).toISOString()).toBe("2026-10-25T00:30:00.000Z");
  expect(new Date(nextAfter(first)).toISOString()).toBe("2026-10-26T01:30:00.000Z");
  expect(new Date(nextAfter(at("2026-03-29T00:00:00Z"))).toISOString()).toBe("2026-03-29T01:30:00.000Z");
  const weekly = compileDigest({ at: "08:00", days: ["mon"] }, BERLIN);
  expect(new Date(weekly.nextAfter(at("2026-01-12T08:00:00+01:00"))).toISOString()).toBe(
    "2026-01-19T07:00:00.000Z",
  );
});

test("the next digest is after the time that it is asked for, and everything up to it has the same one", () => {
  const digests = fc.oneof(
    timeOfDay.map((time) => ({ at: time })),
    fc.constantFrom("PT5M", "PT1H", "P1D").map((every) => ({ every })),
  );
  fc.assert(
    fc.property(
      digests,
      zones,
      times,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (digest, zone, time, share) => {
        const { nextAfter } = compileDigest(digest, zone);
        const next = nextAfter(time);
        expect(next).toBeGreaterThan(time);
        expect(nextAfter(Math.floor(time + share * (next - 1 - time)))).toBe(next);
      },
    ),
  );
});
