import fc from "fast-check";
import { expect, test } from "vitest";
import { readReply } from "./reply.ts";

const HOUR_MS = 3_600_000;

test.each([
  ["ack", null, { name: "ack" }],
  [" Ack. ", null, { name: "ack" }],
  ["12a", 12, { name: "ack" }],
  ["12 ack", 12, { name: "ack" }],
  ["ack 12", 12, { name: "ack" }],
  ["#12a", 12, { name: "ack" }],
  ["more", null, { name: "more" }],
  ["7m", 7, { name: "more" }],
  ["snooze", null, { name: "snooze", forMs: HOUR_MS }],
  ["snooze 1h", null, { name: "snooze", forMs: HOUR_MS }],
  ["Snooze for 30 min", null, { name: "snooze", forMs: HOUR_MS / 2 }],
  ["12 snooze 2d", 12, { name: "snooze", forMs: 48 * HOUR_MS }],
  ["12s 2h", 12, { name: "snooze", forMs: 2 * HOUR_MS }],
  ["STOP", null, { name: "stop" }],
  ["Unsubscribe!", null, { name: "stop" }],
  ["START", null, { name: "start" }],
  ["help", null, { name: "help" }],
  ["2 on my way", null, { name: "reply", said: "2 on my way" }],
  ["2 more", 2, { name: "more" }],
  ["2", null, { name: "reply", said: "2" }],
  ["reply at Six", null, { name: "reply", said: "at Six" }],
  ["12r1", 12, { name: "reply", said: "1" }],
  ["12 reply on my way\nBob", 12, { name: "reply", said: "on my way\nBob" }],
  ["R: yes", null, { name: "reply", said: "yes" }],
])("%j is understood", (text, reference, deed) => {
  expect(readReply(text)).toEqual({ reference, deed });
});

test.each([
  "",
  "12",
  "6",
  "reply",
  "resume",
  "hello",
  "a b",
  "12a 13",
  "snooze 0m",
  "snooze 31d",
  "snooze 1000h",
  "1234a",
  "-1a",
  "stop it please",
  "constructor",
  "ack".repeat(1_000),
])("%j is no answer", (text) => {
  expect(readReply(text)).toBeNull();
});

test("any text is read without harm", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."0129 #.!amsckhd\n\u0000ж", "snooze", "stop"), maxLength: 200 }),
      (text) => {
        const reply = readReply(text);
        if (reply !== null) expect(reply.reference ?? 0).toBeLessThanOrEqual(999);
      },
    ),
  );
});
