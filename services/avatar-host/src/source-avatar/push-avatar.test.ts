import { createHmac } from "node:crypto";
import {
  type CallbackResult,
  type Item,
  itemId,
  newSigningSecret,
  type PublishedItem,
} from "@tidings/protocol";
import { expect, test } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { PushAvatar } from "./push-avatar.ts";

const NAME = "push.1";
const SECRET = newSigningSecret();
const MINUTE_MS = 60_000;

function opened(): Rehearsal {
  const source = new Rehearsal(NAME, () => new PushAvatar({ silo: "s1", askers: ["web.d"] }));
  source.hears("alice", { type: "publisherOpened", title: "db1", secret: SECRET });
  return source;
}

function item(title: string, more: Partial<Item> = {}): Item {
  return {
    id: itemId(NAME, title),
    title,
    link: null,
    summary: null,
    author: null,
    publishedAt: null,
    ...more,
  };
}

function publishes(source: Rehearsal, ...items: (string | Partial<PublishedItem>)[]): void {
  const published = items.map((one) =>
    typeof one === "string"
      ? { item: item(one), dueAt: null, callback: null }
      : { item: item("?"), dueAt: null, callback: null, ...one },
  );
  source.getsPublished({ publication: "p", source: NAME, items: published });
}

/** What was told in the last turn, in order. */
function told(source: Rehearsal): string[] {
  return source.told.flatMap(({ to, event }) =>
    event.type === "notified" ? [`${to} ${event.notification.seq} ${event.notification.title}`] : [],
  );
}

const standing = async (source: Rehearsal) =>
  (
    (await source.isCalled({ name: "publisherStanding", args: {}, fromDomain: "web.d" })) as {
      standing: string;
    }
  ).standing;

const waits = {
  item: item("Down", { options: [{ id: "restart", label: "Restart" }] }),
  callback: "https://c.example/",
};

function answers(source: Rehearsal, id = "answer-1", notification = waits.item.id): void {
  const answer = { id, notification, option: "restart", text: null, at: source.nowAt };
  source.hears("alice", { type: "answered", answer });
}

function result(outcome: CallbackResult["outcome"], more: Partial<CallbackResult> = {}): CallbackResult {
  const sentence = outcome === "delivered" ? "" : "The server said 503.";
  return { callback: "j", source: NAME, answer: "answer-1", outcome, sentence, retryAfterMs: null, ...more };
}

test("its owner opens it, hears of it, and is told what is published, numbered and once", async () => {
  const source = opened();
  expect(source.told).toMatchObject([{ to: ["alice"], event: { type: "sourceChanged", state: "active" } }]);
  expect(await standing(source)).toBe("open");
  publishes(source, "a", "b", "a");
  expect(told(source)).toEqual(["alice 1 a", "alice 2 b"]);
  source.fallsAsleep();
  publishes(source, "b", "c");
  expect(told(source)).toEqual(["alice 3 c"]);
});

test("nobody else opens it or ends it, and only web-api is told how it stands", async () => {
  const source = opened();
  source.hears("mallory", { type: "publisherOpened", title: "mine", secret: SECRET });
  source.hears("mallory", { type: "publisherEnded" });
  expect(await standing(source)).toBe("open");
  publishes(source, "a");
  expect(told(source)).toEqual(["alice 1 a"]);
  await expect(source.isCalled({ name: "publisherStanding", args: {}, fromDomain: "d" })).rejects.toThrow(
    "takes no call",
  );
});

test("what nobody has opened takes nothing: it is kept as a dead letter", async () => {
  const source = new Rehearsal(NAME, () => new PushAvatar({ silo: "s1", askers: ["web.d"] }));
  expect(await standing(source)).toBe("unknown");
  expect(() => publishes(source, "a")).toThrow("no publisher's source");
});

test("one that is ended says so; what was taken before is still told", async () => {
  const source = opened();
  source.hears("alice", { type: "publisherEnded" });
  expect(source.told).toMatchObject([{ to: ["alice"], event: { type: "sourceChanged", state: "ended" } }]);
  expect(await standing(source)).toBe("ended");
  publishes(source, "a");
  expect(told(source)).toEqual(["alice 1 a"]);
});

test("what is for later is told then, in the order of the times, also after sleep, and not twice", () => {
  const source = opened();
  const at = source.nowAt;
  publishes(
    source,
    { item: item("second"), dueAt: at + 2 * MINUTE_MS },
    { item: item("first"), dueAt: at + MINUTE_MS },
    "now",
  );
  expect(told(source)).toEqual(["alice 1 now"]);
  source.fallsAsleep();
  publishes(source, { item: item("first"), dueAt: at + MINUTE_MS });
  source.isRung();
  expect([source.nowAt, told(source)]).toEqual([at + MINUTE_MS, ["alice 2 first"]]);
  source.isRung();
  expect([source.nowAt, told(source)]).toEqual([at + 2 * MINUTE_MS, ["alice 3 second"]]);
  expect(source.alarmAt).toBeNull();
});

test("a hundred that are due together and more are told in their order, over several turns", () => {
  const source = opened();
  const dueAt = source.nowAt + MINUTE_MS;
  const name = (at: number) => `item ${String(at).padStart(3, "0")}`;
  for (let at = 0; at < 250; at++) publishes(source, { item: item(name(at)), dueAt: dueAt + at });
  source.nowAt = dueAt + 1_000;
  const heard: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    source.isRung();
    heard.push(...told(source));
  }
  expect(heard).toEqual(Array.from({ length: 250 }, (_, at) => `alice ${at + 1} ${name(at)}`));
});

test("an answer is a signed job for its callback, and the user is told when it is there", () => {
  const source = opened();
  publishes(source, waits);
  answers(source);
  const [job] = source.jobs;
  expect(job).toMatchObject({ url: "https://c.example/", answer: "answer-1" });
  const { headers, body } = job as { headers: Record<string, string>; body: string };
  expect(JSON.parse(body)).toMatchObject({
    type: "answer",
    data: { notification: waits.item.id, option: "restart", text: null, user: "alice" },
  });
  const signed = `answer-1.${headers["webhook-timestamp"]}.${body}`;
  const key = Buffer.from(SECRET.replace("whsec_", ""), "base64");
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
  source.getsCallbackResult(result("delivered"));
  expect(source.told).toMatchObject([{ to: ["alice"], event: { type: "answerSettled", problem: null } }]);
});

test("a callback that does not work now is tried again under the same id, later and later, for a day", () => {
  const source = opened();
  publishes(source, waits);
  answers(source);
  const beganAt = source.nowAt;
  const waitsMs: number[] = [];
  for (let tries = 1; source.told.length === 0 && tries < 200; tries++) {
    source.getsCallbackResult(result("again"));
    if (source.told.length > 0) break;
    waitsMs.push((source.alarmAt ?? 0) - source.nowAt);
    source.isRung();
    expect(source.jobs).toMatchObject([{ answer: "answer-1" }]);
  }
  expect(source.told).toMatchObject([{ event: { type: "answerSettled", problem: "The server said 503." } }]);
  expect(source.nowAt - beganAt).toBeGreaterThanOrEqual(24 * 60 * MINUTE_MS);
  expect(waitsMs.at(-1)).toBeGreaterThan(waitsMs[0] ?? 0);
});

test("a job that nobody heard of again goes once more, also after a takeover", () => {
  const source = opened();
  publishes(source, waits);
  answers(source);
  source.isTakenOver();
  expect(source.jobs).toMatchObject([{ answer: "answer-1" }]);
  source.isRung();
  expect(source.jobs).toMatchObject([{ answer: "answer-1" }]);
});

test("a refusal for good is told at once, and so is an answer that nobody waits for", () => {
  const source = opened();
  publishes(source, waits);
  answers(source);
  source.getsCallbackResult(result("refused", { sentence: "The server said 404." }));
  expect(source.told).toMatchObject([{ event: { type: "answerSettled", problem: "The server said 404." } }]);
  answers(source, "answer-2", itemId(NAME, "nothing"));
  expect(source.told).toMatchObject([
    { event: { type: "answerSettled", problem: expect.stringContaining("Nobody waits") } },
  ]);
});

const SHARE = `tds_${"0".repeat(32)}${"a".repeat(32)}`;
const changes = (source: Rehearsal) =>
  source.told.flatMap(({ to, event }) =>
    event.type === "sourceChanged"
      ? [`${to} ${event.state} ${event.problem?.split(";")[0] ?? ""}`.trim()]
      : [],
  );

test("who has the link of a publisher that is shared hears of it from then on, and no more when it is taken back", () => {
  const source = opened();
  publishes(source, "before");
  source.hears("alice", { type: "publisherShared", share: SHARE });
  source.hears("bob", { type: "subscribed", url: SHARE });
  expect(changes(source)).toEqual(["bob active"]);
  publishes(source, "a");
  expect(told(source)).toEqual(["bob,alice 2 a"]);
  source.hears("bob", { type: "subscribed", url: SHARE.replace("aaa", "aab") });
  expect(changes(source)).toEqual(["bob active"]);
  source.hears("alice", { type: "publisherShared", share: null });
  expect(changes(source)).toEqual(["bob ended Its owner does not share it any more"]);
  publishes(source, "b");
  expect(told(source)).toEqual(["alice 3 b"]);
  source.hears("bob", { type: "subscribed", url: SHARE });
  expect(changes(source)).toEqual(["bob ended This link is not valid, or not any more"]);
});

test.each([
  ["another token", SHARE.replace("aaa", "aab"), true],
  ["a feed's address", "https://example.org/", true],
  ["a token of what is not shared", SHARE, false],
])("%s makes nobody a subscriber", (_name, url, isShared) => {
  const source = opened();
  if (isShared) source.hears("alice", { type: "publisherShared", share: SHARE });
  source.hears("bob", { type: "subscribed", url });
  expect(changes(source)[0]).toMatch(/^bob ended/);
  publishes(source, "a");
  expect(told(source)).toEqual(["alice 1 a"]);
});

test("only its owner shares it", () => {
  const source = opened();
  source.hears("mallory", { type: "publisherShared", share: SHARE });
  source.hears("mallory", { type: "subscribed", url: SHARE });
  publishes(source, "a");
  expect(told(source)).toEqual(["alice 1 a"]);
});
