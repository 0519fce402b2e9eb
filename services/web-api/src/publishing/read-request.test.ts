import fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../problem.ts";
import { readRequest } from "./read-request.ts";

const text = (body: string, headers: Record<string, string> = {}) => readRequest(Buffer.from(body), headers);
const json = (value: unknown, headers: Record<string, string> = {}) =>
  text(JSON.stringify(value), { "content-type": "application/json", ...headers });

/** As Node reads a header that was sent as UTF-8. */
const sent = (value: string) => Buffer.from(value).toString("latin1");

test("plain text: the first line is the title, the rest goes below it", () => {
  expect(text("disk full")).toEqual([{ title: "disk full" }]);
  expect(text("disk full\r\n\r\n/var has 1 % left\n")).toEqual([
    { title: "disk full", message: "/var has 1 % left" },
  ]);
  expect(text("below", { "x-title": sent("Größe") })).toEqual([{ message: "below", title: "Größe" }]);
});

test("curl's form type, and JSON that is not called so, are plain text", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(text("disk=full&a=b", form)).toEqual([{ title: "disk=full&a=b" }]);
  expect(text('{"title":"x"}')).toEqual([{ title: '{"title":"x"}' }]);
});

test("headers say the rest, with the names that people know", () => {
  const headers = {
    title: "Disk full",
    priority: "5",
    tags: "db1, disk ,,",
    click: "https://example.com/db1",
    "dedup-key": "disk-db1",
    delay: "30m",
    actions: "Restart, Later",
    "x-callback": "https://example.com/answers",
    "x-answer-within": "2h",
  };
  expect(text("", headers)).toEqual([
    {
      title: "Disk full",
      priority: 5,
      tags: ["db1", "disk"],
      link: "https://example.com/db1",
      dedupKey: "disk-db1",
      delay: "30m",
      options: ["Restart", "Later"],
      callback: "https://example.com/answers",
      answerWithin: "2h",
    },
  ]);
  expect(text("a", { "x-priority": "MAX" })).toMatchObject([{ priority: "urgent" }]);
});

test("JSON is one message or many, and headers go before it", () => {
  expect(json({ title: "a", tags: ["x"] }, { priority: "high" })).toEqual([
    { title: "a", tags: ["x"], priority: "high" },
  ]);
  expect(json([{ title: "a" }, { title: "b" }])).toEqual([{ title: "a" }, { title: "b" }]);
});

test.each([
  [[], "1 to 100"],
  [Array.from({ length: 101 }, () => ({ title: "a" })), "1 to 100"],
  [[{ title: "a" }, "b"], "is a JSON object"],
  [null, "is a JSON object"],
  [{ title: "a", prio: 3 }, "is not a field"],
  [{ title: "a", priority: 9 }, "/priority"],
])("%j is refused with its place", (value, sentence) => {
  expect(() => json(value)).toThrow(sentence);
});

test("a body that says that it is JSON and is not is a 400", () => {
  const refused = () => text("{", { "content-type": "application/json; charset=utf-8" });
  expect(refused).toThrow(expect.objectContaining({ status: 400 }));
});

test("whatever is sent is read, or refused as a problem", () => {
  const types = fc.constantFrom("text/plain", "application/json", "application/ld+json", "");
  const names = fc.constantFrom("title", "priority", "tags", "delay", "at", "actions", "click");
  const headers = fc.dictionary(names, fc.string());
  const body = fc.oneof(fc.string(), fc.json());
  fc.assert(
    fc.property(body, headers, types, (said, more, type) => {
      try {
        for (const message of text(said, { ...more, "content-type": type }))
          expect(message).toBeTypeOf("object");
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
  );
});
