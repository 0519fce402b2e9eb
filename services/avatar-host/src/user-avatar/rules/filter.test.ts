import type { Filter, Notification } from "@tidings/protocol";
import { expect, test } from "vitest";
import { compileFilter, textsOf } from "./filter.ts";

const notification: Notification = {
  id: "0".repeat(32),
  title: "Two Rooms, quiet street",
  link: "https://example.org/Rooms/2",
  summary: "650 a month, from March",
  author: "An Agency",
  publishedAt: null,
  categories: ["Flats", "North"],
  source: "rss.1",
  seq: 1,
  receivedAt: 0,
};
const passes = (filter: Filter, of: Notification = notification) => compileFilter(filter)(textsOf(of));

test.each<[Filter, boolean]>([
  [{ contains: "rooms" }, true],
  [{ contains: "from march" }, true],
  [{ in: "title", contains: "march" }, false],
  [{ in: "text", contains: "MARCH" }, true],
  [{ in: "link", contains: "/rooms/" }, true],
  [{ in: "author", matches: "^an? agency$" }, true],
  [{ in: "category", contains: "north" }, true],
  [{ in: "category", matches: "(?m)^flats$" }, true],
  [{ matches: "\\b[5-7]\\d\\d a month" }, true],
  [{ matches: "^650" }, false],
  [{ all: [{ contains: "rooms" }, { not: { contains: "agency" } }] }, true],
  [{ all: [{ contains: "rooms" }, { in: "author", contains: "nobody" }] }, false],
  [{ any: [{ contains: "nothing" }, { contains: "street" }] }, true],
  [{ any: [{ contains: "nothing" }, { contains: "either" }] }, false],
  [{ not: { any: [{ contains: "rooms" }] } }, false],
])("%j passes: %s", (filter, expected) => {
  expect(passes(filter)).toBe(expected);
});

test("what a notification lacks is empty, and contains nothing", () => {
  const bare = { ...notification, link: null, summary: null, author: null };
  for (const field of ["link", "text", "author"] as const) {
    expect(passes({ in: field, contains: "a" }, bare)).toBe(false);
    expect(passes({ in: field, matches: "^$" }, bare)).toBe(true);
  }
});

test("an expression that would backtrack takes no longer than others", () => {
  const slow = { ...notification, title: `${"a".repeat(490)}!` };
  const startMs = performance.now();
  expect(passes({ in: "title", matches: "^(a+)+(a|aa)+$" }, slow)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(250);
});
