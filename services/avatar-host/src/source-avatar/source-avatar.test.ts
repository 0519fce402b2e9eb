import type { AvatarEvent, PollResult } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import { expect, test } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { JOB_TIMEOUT_MS, LATE_MS, LONGEST_MS, nextAfterFailure } from "./poll-schedule.ts";
import { FAN_OUT } from "./rows.ts";
import { SourceAvatar } from "./source-avatar.ts";
import { itemNamed, NAME, resultWith } from "./source-stage.ts";

const MIN_MS = 300_000;
const PACE = { minMs: MIN_MS, spread: () => 0 };
const URL_OF_FEED = "https://example.org/feed";

function rehearse(): Rehearsal {
  return new Rehearsal(NAME, () => new SourceAvatar({ silo: "s1", pace: PACE, web: "web.d" }));
}

const item = itemNamed;

function result(source: Rehearsal, ...identities: string[]): PollResult {
  return resultWith(
    source,
    identities.map((identity) => itemNamed(identity)),
  );
}

function failed(source: Rehearsal, retryAfterMs: number | null = null): PollResult {
  const failure = { reason: "unavailable", sentence: "The server is busy.", retryAfterMs } as const;
  return { ...result(source), outcome: "failed", failure, validators: { etag: null, lastModified: null } };
}

const subscribed: AvatarEvent = { type: "subscribed", url: URL_OF_FEED };

/** The titles that `user` was told in the last turn, in order. */
function toldTo(source: Rehearsal, user: string): string[] {
  return source.told.flatMap(({ to, event }) =>
    to.includes(user) && event.type === "notified"
      ? [`${event.notification.seq} ${event.notification.title}`]
      : [],
  );
}

/** A source with a subscriber and its baseline. */
function active(...subscribers: string[]): Rehearsal {
  const source = rehearse();
  for (const user of subscribers) source.hears(user, subscribed);
  source.getsResult(result(source, "old"));
  return source;
}

test("the first subscriber makes the source ask for its feed; the first fetch is a baseline that nobody is told", () => {
  const source = rehearse();
  source.hears("alice", subscribed);
  expect(source.jobs).toMatchObject([{ url: URL_OF_FEED, source: NAME, validators: { etag: null } }]);

  source.getsResult(result(source, "a", "b"));

  expect(toldTo(source, "alice")).toEqual([]);
  expect(source.told).toMatchObject([
    { to: ["alice"], event: { type: "sourceChanged", state: "active", title: "Rooms" } },
  ]);
  expect(source.alarmAt).toBe(source.nowAt + MIN_MS);
});

test("what is new is told once, numbered in the order of the feed", () => {
  const source = active("alice");
  source.getsResult(result(source, "old", "a", "b"));
  expect(toldTo(source, "alice")).toEqual(["1 a", "2 b"]);
  source.getsResult(result(source, "a", "b", "c"));
  expect(toldTo(source, "alice")).toEqual(["3 c"]);
  source.getsResult(result(source, "a", "b", "c"));
  expect(source.told).toEqual([]);
});

test("an item that stands twice in one document is told once", () => {
  const source = active("alice");
  source.getsResult(result(source, "a", "a"));
  expect(toldTo(source, "alice")).toEqual(["1 a"]);
});

test("validators count when the last part is stored", () => {
  const source = active("alice");
  source.isRung();
  const [first, last] = [
    { ...result(source, "a"), parts: 2, validators: { etag: '"2"', lastModified: null } },
    { ...result(source, "b"), part: 2, parts: 2, validators: { etag: '"2"', lastModified: null } },
  ];
  source.getsResult(first);
  source.isRung();
  expect(source.jobs).toMatchObject([{ validators: { etag: '"1"' } }]);
  source.getsResult(last);
  source.isRung();
  expect(source.jobs).toMatchObject([{ validators: { etag: '"2"' } }]);
});

test("a job of which nothing comes is put on the queue again", () => {
  const source = active("alice");
  source.isRung();
  const first = source.jobs[0]?.job;
  expect(source.alarmAt).toBe(source.nowAt + JOB_TIMEOUT_MS);
  source.isRung();
  expect(source.jobs).toHaveLength(1);
  expect(source.jobs[0]?.job).not.toBe(first);
});

test("a failure is told once with its sentence, makes the next poll later, and is over with the next success", () => {
  const source = active("alice");
  source.getsResult(failed(source));
  expect(source.told).toMatchObject([
    { to: ["alice"], event: { state: "failing", problem: "The server is busy." } },
  ]);
  expect(source.alarmAt).toBe(source.nowAt + MIN_MS);
  source.getsResult(failed(source));
  expect(source.told).toEqual([]);
  expect(source.alarmAt).toBe(source.nowAt + 2 * MIN_MS);

  source.getsResult(result(source, "old", "a"));

  expect(source.told[0]).toMatchObject({ event: { state: "active", problem: null } });
  expect(toldTo(source, "alice")).toEqual(["1 a"]);
});

test("a source that fails at first is polled again for each that comes, and answers at once how it is", () => {
  const source = rehearse();
  source.hears("alice", subscribed);
  source.getsResult(failed(source));
  source.hears("bob", subscribed);
  expect(source.told).toMatchObject([{ to: ["bob"], event: { state: "failing" } }]);
  expect(source.jobs).toHaveLength(1);
});

test("polls after failures come ever later, not before the server's word, and once a day at least", () => {
  const pace = PACE;
  expect(nextAfterFailure(0, 1, null, pace)).toBe(MIN_MS);
  expect(nextAfterFailure(0, 4, null, pace)).toBe(8 * MIN_MS);
  expect(nextAfterFailure(0, 1, 3_600_000, pace)).toBe(3_600_000);
  expect(nextAfterFailure(0, 1, 10 * LONGEST_MS, pace)).toBe(LONGEST_MS);
  expect(nextAfterFailure(0, 5_000, null, pace)).toBe(LONGEST_MS);
});

test("who subscribes later is told what comes later", () => {
  const source = active("alice");
  source.getsResult(result(source, "a"));
  source.hears("bob", subscribed);
  source.hears("bob", subscribed);
  source.getsResult(result(source, "a", "b"));
  expect(toldTo(source, "bob")).toEqual(["2 b"]);
  source.hears("bob", { type: "unsubscribed" });
  source.getsResult(result(source, "b", "c"));
  expect(toldTo(source, "bob")).toEqual([]);
  expect(toldTo(source, "alice")).toEqual(["3 c"]);
});

test("when the last subscriber leaves the polls end, and who comes then begins with a new baseline", () => {
  const source = active("alice");
  source.hears("alice", { type: "unsubscribed" });
  expect(source.alarmAt).toBeNull();
  source.getsResult(result(source, "late"));
  expect(source.told).toEqual([]);

  source.hears("bob", subscribed);
  source.getsResult(result(source, "while nobody listened"));
  expect(toldTo(source, "bob")).toEqual([]);
  source.getsResult(result(source, "new"));
  expect(toldTo(source, "bob")).toEqual(["1 new"]);
});

test("a document that has not changed forgets nothing that it still holds", () => {
  const source = active("alice");
  const many = Array.from({ length: 60 }, (_, page) => Array.from({ length: 90 }, (_, n) => `${page}-${n}`));
  for (const page of many) source.getsResult(result(source, ...page, "stays"));
  for (let poll = 0; poll < 120; poll++) source.getsResult({ ...result(source), outcome: "unchanged" });
  source.getsResult(result(source, "stays"));
  expect(source.told).toEqual([]);
});

test("what the document has not held for long is forgotten when too much has come together", () => {
  const source = active("alice");
  for (let page = 0; page < 110; page++) {
    source.getsResult(result(source, ...Array.from({ length: 90 }, (_, n) => `${page}-${n}`)));
  }
  expect(source.rows.list(NAME, withPrefix("seen/")).length).toBeLessThan(102 * 90);
});

test("many subscribers are told a page in each turn, each item once and in order, while people come and go", () => {
  const source = rehearse();
  const users = Array.from({ length: 12_000 }, (_, n) => `u${n}`);
  for (const user of users) source.hears(user, subscribed);
  source.getsResult(result(source, "old"));
  const heard = new Map<string, string[]>();
  const note = () => {
    for (const { to, event } of source.told) {
      if (event.type !== "notified") continue;
      for (const user of to) heard.set(user, [...(heard.get(user) ?? []), event.notification.title]);
    }
  };

  source.getsResult(result(source, "a", "b"));
  note();
  expect(source.wantsAnother).toBe(true);
  source.hears("late", subscribed);
  const gone = users.find((user) => !heard.has(user)) as string;
  source.hears(gone, { type: "unsubscribed" });
  source.fallsAsleep();
  source.getsResult(result(source, "a", "b", "c"));
  note();
  for (let turns = 0; source.wantsAnother && turns < 100; turns++) {
    source.goesOn();
    note();
  }

  expect(source.wantsAnother).toBe(false);
  expect(heard.get("late")).toEqual(["c"]);
  expect(heard.has(gone)).toBe(false);
  const expected = JSON.stringify(["a", "b", "c"]);
  expect(users.filter((user) => user !== gone && JSON.stringify(heard.get(user)) !== expected)).toEqual([]);
  expect(source.rows.list(NAME, withPrefix(FAN_OUT))).toEqual([]);
});

test("results that come late make the polls rarer, and one in time makes them as frequent as before", () => {
  const source = active("alice");
  for (const times of [2, 4, 8]) {
    source.isRung();
    const late = result(source, "old");
    source.nowAt += LATE_MS + 1;
    source.getsResult(late);
    expect(source.alarmAt).toBe(source.nowAt + times * MIN_MS);
  }
  source.isRung();
  source.getsResult(result(source, "old"));
  expect(source.alarmAt).toBe(source.nowAt + MIN_MS);
});

test("a job of which nothing comes is put on the queue again after twice the time each, so that a full queue is left alone", () => {
  const source = active("alice");
  source.isRung();
  for (const times of [1, 2, 4]) {
    expect(source.alarmAt).toBe(source.nowAt + times * JOB_TIMEOUT_MS);
    source.isRung();
    expect(source.jobs).toHaveLength(1);
  }
  for (let n = 0; n < 20; n++) source.isRung();
  expect((source.alarmAt ?? 0) - source.nowAt).toBe(64 * JOB_TIMEOUT_MS);
});

test("a job that may have died with its host goes again, and when both bring results nothing is told twice", () => {
  const source = active("alice");
  source.isTakenOver();
  expect(source.jobs).toEqual([]);
  source.isRung();
  const [job] = source.jobs;
  source.nowAt += 5_000;

  source.isTakenOver();
  expect(source.jobs).toEqual([job]);
  expect(source.alarmAt).toBe(source.nowAt + JOB_TIMEOUT_MS);

  const first = { ...result(source, "old", "a", "b"), validators: { etag: '"2"', lastModified: null } };
  source.getsResult({ ...first, job: job?.job ?? "" });
  expect(toldTo(source, "alice")).toEqual(["1 a", "2 b"]);
  source.getsResult({ ...first, job: job?.job ?? "" });
  expect(source.told).toEqual([]);
  source.isRung();
  expect(source.jobs).toMatchObject([{ validators: { etag: '"2"' } }]);
});

test("a baseline of which two results come is told to nobody", () => {
  const source = rehearse();
  source.hears("alice", subscribed);
  source.isTakenOver();
  for (let time = 0; time < 2; time++) {
    source.getsResult(result(source, "a", "b"));
    expect(toldTo(source, "alice")).toEqual([]);
  }
});

/** The source is polled, and the poll fails; titles that alice is told. */
function fails(source: Rehearsal, reason: "unavailable" | "gone" = "unavailable"): string[] {
  source.isRung();
  const failure = { reason, sentence: "The server is busy.", retryAfterMs: null };
  source.getsResult({ ...failed(source), failure });
  return toldTo(source, "alice");
}

test("a feed that is dead is said once in the history, and once when it can be read again", () => {
  const source = active("alice");
  const told = Array.from({ length: 12 }, () => fails(source)).flat();
  expect(told).toEqual(["1 Rooms cannot be read: The server is busy."]);
  source.isRung();
  source.getsResult({ ...result(source), outcome: "unchanged", items: [] });
  expect(toldTo(source, "alice")).toEqual(["2 Rooms can be read again."]);
  fails(source);
  source.isRung();
  source.getsResult(result(source, "old", "a"));
  expect(toldTo(source, "alice")).toEqual(["3 a"]);
});

test("what was dead is said to be back before its news, in one number after the other", () => {
  const source = active("alice");
  for (let failure = 0; failure < 5; failure++) fails(source);
  source.isRung();
  source.getsResult(result(source, "old", "a"));
  expect(toldTo(source, "alice")).toEqual(["2 Rooms can be read again.", "3 a"]);
});

test("a feed that is gone is asked no more, and that is said once; who subscribes again has it asked", () => {
  const source = active("alice");
  expect(fails(source, "gone")).toEqual(["1 Rooms has ended: The server is busy."]);
  expect(source.alarmAt).toBeNull();
  expect(source.told).toContainEqual(
    expect.objectContaining({ event: expect.objectContaining({ type: "sourceChanged", state: "ended" }) }),
  );
  source.hears("bob", subscribed);
  expect(source.jobs).toHaveLength(1);
  source.getsResult(result(source, "old", "a"));
  expect(toldTo(source, "alice")).toEqual(["2 Rooms can be read again.", "3 a"]);
});

test("a feed that was moved for good is asked there, and where it was when it is there no more", () => {
  const source = active("alice");
  const moved = "https://example.com/new";
  source.isRung();
  source.getsResult({ ...result(source, "old"), movedTo: moved });
  source.isRung();
  expect(source.jobs).toMatchObject([{ url: moved }]);
  source.getsResult(result(source, "old"));
  source.isRung();
  expect(source.jobs).toMatchObject([{ url: moved }]);
  expect(fails(source, "gone")).toEqual([]);
  source.isRung();
  expect(source.jobs).toMatchObject([{ url: URL_OF_FEED }]);
});

test("the longer a feed is silent, the more seldom it is asked, and its server's word counts", () => {
  const source = active("alice");
  const pausesFor = (changes: Partial<PollResult> = {}) => {
    source.isRung();
    source.getsResult({ ...result(source), outcome: "unchanged", items: [], ...changes });
    return (source.alarmAt ?? 0) - source.nowAt;
  };
  expect(pausesFor()).toBe(MIN_MS);
  expect(pausesFor({ freshForMs: 3_600_000 })).toBe(3_600_000);
  source.nowAt += 10 * 3_600_000;
  expect(pausesFor()).toBeGreaterThan(30 * 60_000);
  source.nowAt += 100 * 24 * 3_600_000;
  expect(pausesFor()).toBe(LONGEST_MS);
  source.isRung();
  source.getsResult(result(source, "a"));
  expect((source.alarmAt ?? 0) - source.nowAt).toBe(MIN_MS);
});

test("a feed that gives all its items new ids is not told again, but what is new among them is", () => {
  const source = rehearse();
  source.hears("alice", subscribed);
  const named = (prefix: string, ...titles: string[]) =>
    titles.map((title) => ({ ...item(`${prefix} ${title}`), title }));
  const titles = ["a", "b", "c", "d", "e", "f"];
  source.getsResult({ ...result(source), items: named("1", ...titles) });
  source.getsResult({ ...result(source), items: named("2", ...titles, "g") });
  expect(toldTo(source, "alice")).toEqual(["1 g"]);
  source.getsResult({
    ...result(source),
    items: named("2", "c", "d", "e", "f", "g").concat(named("3", "a")),
  });
  expect(toldTo(source, "alice")).toEqual(["2 a"]);
});

test("a poll that was postponed comes again when its host has time, and counts no failure", () => {
  const source = active("alice");
  source.isRung();
  source.getsResult({ ...result(source), outcome: "postponed", againInMs: 7_000, items: [] });
  expect(source.alarmAt).toBe(source.nowAt + 7_000);
  expect(source.told).toEqual([]);
  expect(JSON.parse(source.rows.get(NAME, "source") ?? "")).toMatchObject({ state: "active", failures: 0 });
});

test("a page is told when the feed is asked next, and how it went; of a source that nobody follows nothing is known", async () => {
  const standing = (source: Rehearsal) =>
    source.isCalled({ fromDomain: "web.d", name: "pollStanding", args: {} });
  expect(await standing(rehearse())).toMatchObject({ knows: false, nextAt: null });
  const source = active("alice");
  const newestAt = source.nowAt;
  expect(await standing(source)).toEqual({
    knows: true,
    nextAt: source.nowAt + MIN_MS,
    newestAt,
    failures: 0,
    isPushed: false,
  });
  source.isRung();
  expect(await standing(source)).toMatchObject({ nextAt: null });
  source.getsResult(failed(source));
  expect(await standing(source)).toMatchObject({ failures: 1, newestAt, nextAt: source.alarmAt });
  const stranger = { fromDomain: "im.agents.d", name: "pollStanding", args: {} };
  await expect(source.isCalled(stranger)).rejects.toMatchObject({ condition: "item-not-found" });
});
