import { readReply } from "@tidings/agent";
import { expect, test } from "vitest";
import { replyLine } from "./reply-line.ts";

test.each([
  ["ack", "ack"],
  ["\n\n  snooze 1h \n\nOn 2026-11-25 at 07:12, Tidings wrote:\n> Two rooms", "snooze 1h"],
  ["Ack.\n-- \nAlice", "Ack."],
  ["\u00a0\r\nack\r\n", "ack"],
  ["> Two rooms\n> more\n\nack", ""],
  ["-- \nstop", ""],
  ["", ""],
])("of %j the line is %j", (text, line) => {
  expect(replyLine(text)).toBe(line);
});

test.each([
  "On Wed, 25 Nov 2026 at 07:12, Tidings <n@d.test> wrote:\n\n> stop",
  "Am 25.11.2026 um 07:12 schrieb Tidings:\n> stop",
  "-----Original Message-----\nstop",
])("what a mail program writes (%j) is not understood", (text) => {
  expect(readReply(replyLine(text))).toBeNull();
});
