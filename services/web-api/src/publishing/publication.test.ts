import { check, ITEM_LIMITS, isSendable, PublishedItem } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../problem.ts";
import type { Message } from "./message.ts";
import { publishedItems } from "./publication.ts";

const NOW_AT = Date.UTC(2026, 2, 1, 8);
const context = { source: "push.1", key: null, nowAt: NOW_AT };
const published = (message: Message, more: Partial<typeof context & { key: string | null }> = {}) =>
  publishedItems([message], { ...context, ...more })[0] as PublishedItem;
const idsOf = (messages: readonly Message[], key: string | null) =>
  publishedItems(messages, { ...context, key }).map(({ item }) => item.id);

test("a message is an item: cleaned, with tags as categories and its priority as a word", () => {
  const message: Message = {
    title: " Disk \u0007full\u202e ",
    message: "/var has 1 % left",
    link: "https://example.com/a b",
    priority: 5,
    tags: ["db1", " "],
    author: "cron",
  };
  expect(published(message)).toMatchObject({
    dueAt: null,
    callback: null,
    item: {
      title: "Disk full",
      summary: "/var has 1 % left",
      link: "https://example.com/a%20b",
      priority: "urgent",
      categories: ["db1"],
      author: "cron",
      publishedAt: NOW_AT,
    },
  });
});

test("without a title the text's first line is it; a title that is too long goes on below", () => {
  expect(published({ message: "first\nsecond" }).item).toMatchObject({
    title: "first",
    summary: "first\nsecond",
  });
  const { title, summary } = published({ title: "long ".repeat(200), message: "below" }).item;
  expect(title).toHaveLength(ITEM_LIMITS.title);
  expect(summary).toMatch(/^long long .*below$/s);
});

test("the same key, of the message or of the request, makes the same id; without one each is another", () => {
  const two: Message[] = [{ title: "a" }, { title: "a" }];
  expect(new Set([...idsOf(two, null), ...idsOf(two, null)]).size).toBe(4);
  expect(idsOf(two, "k")).toEqual(idsOf(two, "k"));
  expect(new Set(idsOf(two, "k")).size).toBe(2);
  expect(idsOf([{ title: "a", dedupKey: "d" }], null)).toEqual(idsOf([{ title: "b", dedupKey: "d" }], "k"));
});

test("at and delay say when; what is past is at once", () => {
  expect(published({ title: "a", delay: "30m" }).dueAt).toBe(NOW_AT + 1_800_000);
  expect(published({ title: "a", at: "2026-02-01T08:00:00Z" }).dueAt).toBeNull();
});

test("options are ids and labels with a callback, and count until a time", () => {
  const message: Message = {
    title: "Down",
    options: ["Restart it", { id: "x", label: "Say", input: true }, "再起動"],
    callback: "https://example.com/answers",
    answerWithin: "1h",
    delay: "1h",
  };
  const { item, callback } = published(message);
  expect(item.options).toMatchObject([
    { id: "restart-it", label: "Restart it" },
    { id: "x", label: "Say", input: true },
    { label: "再起動" },
  ]);
  expect(item.answerUntilAt).toBe(NOW_AT + 7_200_000);
  expect(callback).toBe("https://example.com/answers");
});

test.each<[Message, string]>([
  [{}, "nothing to tell"],
  [{ title: "\u0007 \u202e" }, "nothing to tell"],
  [{ title: "a", link: "javascript:alert(1)" }, "http or https"],
  [{ title: "a", link: "https://user:password@example.com/" }, "without a password"],
  [{ title: "a", at: "2026-03-01T09:00:00Z", delay: "1h" }, "not both"],
  [{ title: "a", delay: "soon" }, "is no time"],
  [{ title: "a", delay: "31d" }, "30 days"],
  [{ title: "a", options: ["b"] }, "need a callback"],
  [{ title: "a", options: ["b", "B"], callback: "https://c.example" }, "same id"],
  [{ title: "a", options: ["1", "2", "3", "4", "5", "6"], callback: "https://c.example" }, "at most 5"],
  [{ title: "a", options: ["\u202e"], callback: "https://c.example" }, "no visible label"],
  [{ title: "a", options: ["b"], callback: "ftp://c.example" }, "callback is an http"],
])("%j is refused: %s", (message, sentence) => {
  expect(() => published(message)).toThrow(sentence);
});

test("whatever is written, it is refused as a problem or fits what travels on", () => {
  const words = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("x".repeat(3_000)));
  const messages = fc.record<Message>(
    { title: words, message: words, author: words, tags: fc.array(words, { maxLength: 3 }), dedupKey: words },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(messages, (message) => {
      try {
        const { item } = check(PublishedItem, published(message), "published item");
        for (const text of [item.title, item.summary ?? "", item.author ?? "", ...(item.categories ?? [])])
          expect(isSendable(text)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
  );
});
