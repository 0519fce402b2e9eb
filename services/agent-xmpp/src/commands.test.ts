import { expect, test } from "vitest";
import { parseCommand } from "./commands.ts";

test.each([
  ["help", { name: "help" }],
  ["  HELP ", { name: "help" }],
  ["/list", { name: "list" }],
  ["https://example.org/a?b", { name: "add", url: "https://example.org/a?b" }],
  ["add example.org", { name: "add", url: "example.org" }],
  ["add <https://example.org>", { name: "add", url: "https://example.org" }],
  ["add", { name: "incomplete", hint: expect.any(String) }],
  ["add two words", { name: "incomplete", hint: expect.any(String) }],
  ["remove 3", { name: "remove", position: 3 }],
  ["remove #3", { name: "remove", position: 3 }],
  ["remove all", { name: "incomplete", hint: expect.any(String) }],
  ["remove 0", { name: "incomplete", hint: expect.any(String) }],
  ["pause", { name: "pause", forMs: 86_400_000 }],
  ["pause 30m", { name: "pause", forMs: 1_800_000 }],
  ["pause 2 hours", { name: "pause", forMs: 7_200_000 }],
  ["pause for 1d", { name: "pause", forMs: 86_400_000 }],
  ["pause 9999w", { name: "pause", forMs: 30 * 86_400_000 }],
  ["pause 0h", { name: "incomplete", hint: expect.any(String) }],
  ["pause whenever", { name: "incomplete", hint: expect.any(String) }],
  ["resume", { name: "resume" }],
  ["ack", { name: "ack" }],
  ["Ack.", { name: "ack" }],
  ["ack 12", { name: "incomplete", hint: expect.any(String) }],
  ["snooze", { name: "snooze", forMs: 3_600_000 }],
  ["/snooze 30m", { name: "snooze", forMs: 1_800_000 }],
  ["snooze whenever", { name: "incomplete", hint: expect.any(String) }],
  ["more", { name: "more" }],
  ["WHY", { name: "why" }],
  ["constructor", { name: "unknown" }],
  ["what is this?", { name: "unknown" }],
])("%j is understood", (text, command) => {
  expect(parseCommand(text)).toEqual(command);
});
