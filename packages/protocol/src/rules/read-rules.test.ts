import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_RULES, type Filter, RULE_LIMITS } from "./document.ts";
import type { KnownThings } from "./problem.ts";
import { readRules } from "./read-rules.ts";

const known: KnownThings = {
  destinations: [
    { id: "im", channel: "im" },
    { id: "phone", channel: "sms" },
  ],
  subscriptions: ["rss.1", "rss.2"],
};
const problems = (input: unknown) => readRules(input, known).problems ?? [];
const places = (input: unknown) => problems(input).map(({ pointer }) => pointer);
const rule = (when: unknown, set: unknown = { priority: "high" }, name = "a") => ({ name, when, set });
const matching = (match: Filter) => ({ rules: [rule({ match })] });
const ladder = (...steps: unknown[]) => ({ ladders: { own: steps } });

test("an empty document is the default one, and the default one is a good document", () => {
  expect(readRules({}, known).rules).toEqual(DEFAULT_RULES);
  expect(readRules(DEFAULT_RULES, known).rules).toEqual(DEFAULT_RULES);
});

test("what is left out is as in the default, the two ladders as well", () => {
  const read = readRules({ zone: "Europe/Berlin", ...ladder({ to: "sms" }) }, known).rules;
  expect(read).toMatchObject({ zone: "Europe/Berlin", retention: "P30D" });
  expect(Object.keys(read?.ladders ?? {})).toEqual(["urgent", "default", "own"]);
});

test("a document that uses everything is taken", () => {
  const filter = {
    all: [
      { any: [{ contains: "quiet" }, { in: "title", matches: "two rooms?" }] },
      { not: { in: "author", contains: "agency" } },
    ],
  };
  const input = {
    zone: "America/New_York",
    ladders: {
      urgent: [
        { to: "im", when: { presence: ["available", "chat"], idleUnder: "PT5M" } },
        { unless: "acked", within: "PT1M" },
        { destination: "phone" },
        { wait: "PT10M" },
        { to: "email", when: { idleFor: "PT10M" } },
      ],
    },
    subscriptions: {
      "rss.1": { filter, ladder: "urgent", digest: { every: "PT1H", most: 5 } },
      "rss.2": { mute: { until: "2026-03-01T08:00:00Z" } },
    },
    rules: [
      rule({ match: { contains: "on fire" }, subscriptions: ["rss.1"] }, { priority: "urgent" }),
      rule({ priorities: ["min"] }, { mute: true }, "b"),
      rule({}, { ladder: [{ to: "im" }] }, "c"),
    ],
    quietHours: [
      { from: "22:00", to: "07:00", days: ["sun", "mon"], zone: "Europe/Berlin" },
      { from: "12:00", to: "13:00" },
    ],
    held: { digest: null },
    burst: { most: 5, within: "PT10M" },
    dedup: { by: "link", within: "P1D" },
    sms: { mostPerDay: 0 },
    retention: "P1W",
  };
  expect(problems(input)).toEqual([]);
});

test.each([
  ["a zone that is none", { zone: "Europe/Atlantis" }, "/zone", /IANA/],
  ["an offset for a zone", { zone: "+02:00" }, "/zone", /summer time/],
  [
    "quiet hours of no length",
    { quietHours: [{ from: "22:00", to: "22:00" }] },
    "/quietHours/0/to",
    /another end/,
  ],
  [
    "a zone of quiet hours that is none",
    { quietHours: [{ from: "22:00", to: "07:00", zone: "X" }] },
    "/quietHours/0/zone",
    /IANA/,
  ],
  [
    "a week without a gap",
    {
      quietHours: [
        { from: "08:00", to: "20:00" },
        { from: "20:00", to: "08:00" },
      ],
    },
    "/quietHours",
    /leave a gap/,
  ],
  [
    "a time of day that is none",
    { quietHours: [{ from: "24:00", to: "07:00" }] },
    "/quietHours/0/from",
    /pattern/,
  ],
  ["a field that nobody knows", { colour: 1 }, "/colour", /not a field/],
  [
    "a digest for what waits for IM, by IM",
    { held: { digest: { at: "08:00", to: "im" } } },
    "/held/digest/to",
    /another channel/,
  ],
  [
    "a digest with two times",
    { held: { digest: { at: "08:00", every: "PT1H", to: "email" } } },
    "/held/digest",
    /not both/,
  ],
  [
    "weekdays for a window",
    { held: { digest: { every: "PT1H", days: ["mon"], to: "email" } } },
    "/held/digest/days",
    /use at/,
  ],
  ["a duration that is none", { retention: "30 days" }, "/retention", /ISO 8601/],
  ["a duration in months", { retention: "P1M" }, "/retention", /without years and months/],
  ["a duration out of bounds", { retention: "P2000D" }, "/retention", /between P1D and P366D/],
])("%s is refused with its place and what to do", (_what, input, pointer, sentence) => {
  expect(problems(input)[0]).toMatchObject({ pointer, detail: expect.stringMatching(sentence) });
});

test.each([
  ["a back-reference", "(a+)\\1", /back-references/],
  ["look-around", "(?=x)y", /look-around/],
  ["an open bracket", "(", /closing/],
  ["an expression that is too large", "(?:(?:x{10}){10}){10}", /smaller numbers/],
])("%s is refused", (_what, matches, sentence) => {
  const at = "/rules/0/when/match/matches";
  expect(problems(matching({ matches }))).toEqual([{ pointer: at, detail: expect.stringMatching(sentence) }]);
});

test.each<[string, Filter]>([
  ["both sides of a contradiction", { all: [{ contains: "Room" }, { not: { contains: "room" } }] }],
  [
    "a contradiction further down",
    { all: [{ contains: "a" }, { all: [{ contains: "b" }, { not: { contains: "a" } }] }] },
  ],
  ["the opposite of everything", { not: { any: [{ contains: "a" }, { not: { contains: "a" } }] } }],
  ["nothing but contradictions", { any: [{ all: [{ contains: "a" }, { not: { contains: "a" } }] }] }],
])("a filter that wants %s is refused", (_what, match) => {
  expect(problems(matching(match))[0]).toMatchObject({
    pointer: "/rules/0/when/match",
    detail: expect.stringMatching(/contradicts itself/),
  });
});

test("a filter has one form, and in goes with a text", () => {
  expect(places(matching({ contains: "a", matches: "b" }))).toEqual(["/rules/0/when/match"]);
  expect(places(matching({ all: [{ in: "title", not: { contains: "b" } }] }))).toEqual([
    "/rules/0/when/match/all/0/in",
  ]);
  expect(places(matching({}))).toEqual(["/rules/0/when/match"]);
});

test("depth, size, patterns and the whole document are bounded, and no depth brings the check down", () => {
  let deep: Filter = { contains: "a" };
  for (let level = 0; level < RULE_LIMITS.filterDepth; level++) deep = { not: deep };
  expect(problems(matching(deep))[0]?.detail).toMatch(/flatter/);
  for (let level = 0; level < 9_000; level++) deep = { not: deep };
  expect(problems(matching(deep))[0]?.detail).toMatch(/flatter/);
  const many = Array.from({ length: 50 }, (_, at) => ({ matches: `a${at}` }));
  expect(
    problems({ rules: [rule({ match: { any: [...many.slice(1), { any: many.slice(0, 2) }] } })] })[0]?.detail,
  ).toMatch(/50 expressions/);
  const large = Array.from({ length: 50 }, (_, at) =>
    rule(
      { match: { any: Array.from({ length: 50 }, () => ({ contains: "x".repeat(60) })) } },
      { mute: true },
      `r${at}`,
    ),
  );
  expect(problems({ rules: large })[0]?.detail).toMatch(/65536 bytes/);
  expect(
    places({
      rules: Array.from({ length: 51 }, (_, at) => rule({ priorities: ["min"] }, { mute: true }, `r${at}`)),
    })[0],
  ).toBe("/rules");
});

test.each([
  ["two kinds in one step", ladder({ to: "im", wait: "PT1M" }), "/ladders/own/0"],
  ["unless without within", ladder({ to: "im" }, { unless: "acked" }, { to: "sms" }), "/ladders/own/1"],
  ["a destination that is not there", ladder({ destination: "fax" }), "/ladders/own/0/destination"],
  ["no way at all", ladder({ wait: "PT1M" }), "/ladders/own"],
  [
    "a condition on what was not sent",
    ladder({ unless: "received", within: "PT1M" }, { to: "sms" }),
    "/ladders/own/0",
  ],
  ["a wait for nothing", ladder({ to: "im" }, { wait: "PT1M" }), "/ladders/own/1"],
  [
    "the same twice",
    ladder({ to: "im" }, { wait: "PT1M" }, { to: "im", when: { presence: ["chat"] } }),
    "/ladders/own/2",
  ],
  [
    "IM to who is offline",
    ladder({ to: "im", when: { presence: ["offline"] } }),
    "/ladders/own/0/when/presence",
  ],
  [
    "idle and not idle",
    ladder({ to: "sms", when: { idleFor: "PT5M", idleUnder: "PT5M" } }),
    "/ladders/own/0/when",
  ],
  [
    "somebody offline who is not idle",
    ladder({ to: "sms", when: { presence: ["offline"], idleUnder: "PT5M" } }),
    "/ladders/own/0/when/idleUnder",
  ],
  ["a wait without end", ladder({ to: "im" }, { wait: "P9D" }, { to: "sms" }), "/ladders/own/1/wait"],
])("a ladder with %s is refused", (_what, input, pointer) => {
  expect(places(input)).toEqual([pointer]);
});

test("a ladder may come back to an address under a wider condition", () => {
  expect(
    problems(ladder({ to: "im", when: { presence: ["chat"] } }, { wait: "PT1M" }, { to: "im" })),
  ).toEqual([]);
});

test.each([
  [
    "behind one that matches everything",
    [rule({}), rule({ match: { contains: "x" } }, undefined, "b")],
    "/rules/1",
  ],
  [
    "behind one with the same match",
    [
      rule({ match: { contains: "X" } }),
      rule({ match: { contains: "x" }, priorities: ["low"] }, undefined, "b"),
    ],
    "/rules/1",
  ],
  ["of no effect", [rule({}, {})], "/rules/0/set"],
  ["that mutes and sends", [rule({}, { mute: true, ladder: "urgent" })], "/rules/0/set/mute"],
  [
    "urgent and in a digest",
    [rule({}, { priority: "urgent", digest: { every: "PT1H" } })],
    "/rules/0/set/digest",
  ],
  ["with an unknown ladder", [rule({}, { ladder: "nowhere" })], "/rules/0/set/ladder"],
  [
    "with an unknown subscription",
    [rule({ subscriptions: ["rss.1", "rss.9"] })],
    "/rules/0/when/subscriptions/1",
  ],
  [
    "with the name of another",
    [rule({ priorities: ["low"] }), rule({ priorities: ["high"] })],
    "/rules/1/name",
  ],
])("a rule %s is refused", (_what, rules, pointer) => {
  expect(places({ rules })).toEqual([pointer]);
});

test("a rule for muted subscriptions alone can never apply", () => {
  const input = { subscriptions: { "rss.1": { mute: true } }, rules: [rule({ subscriptions: ["rss.1"] })] };
  expect(places(input)).toEqual(["/rules/0/when/subscriptions"]);
  expect(places({ ...input, rules: [rule({ subscriptions: ["rss.1", "rss.2"] })] })).toEqual([]);
});

test("whatever is sent is read or refused with sentences, and a name cannot lead out of the document", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom("rules", "ladders", "subscriptions", "quietHours", "held", "zone"),
      (value, name) => {
        for (const { detail } of problems({ [name]: value })) expect(detail).toMatch(/\.$/);
      },
    ),
  );
  expect(places(JSON.parse('{"subscriptions":{"__proto__":{"mute":true}}}'))).toEqual([
    "/subscriptions/__proto__",
  ]);
  expect(places({ subscriptions: { "a/b~": { mute: true } } })).toEqual(["/subscriptions/a~1b~0"]);
});
