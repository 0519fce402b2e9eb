import { dispatchTo } from "@tidings/agent/silo-stage";
import type { Notification } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { messageText } from "./message-text.ts";
import { segmentsOf } from "./segments.ts";

function dispatch(changes: Partial<Notification>, sourceTitle = "Rooms") {
  const sample = dispatchTo("+12025550100");
  return { ...sample, sourceTitle, notification: { ...sample.notification, ...changes } };
}

test("a short message has title, source, link and how to answer", () => {
  expect(messageText(dispatch({}), 12)).toBe(
    "Two rooms, quiet street\nRooms\nhttps://example.org/1\nReply 12a to ack",
  );
});

test("a long title is cut so that the link to more stays whole", () => {
  const text = messageText(dispatch({ title: "room ".repeat(80) }), 12);
  expect(segmentsOf(text).count).toBe(2);
  expect(text).toMatch(/room roo?m?\.\.\.\nRooms\nhttps:\/\/example\.org\/1\nReply 12a to ack$/);
});

test("without a link that fits, a cut message says how to get more", () => {
  const link = `https://example.org/${"x".repeat(1_900)}`;
  const text = messageText(dispatch({ title: "room ".repeat(80), link }), 7);
  expect(text).toMatch(/\nRooms\nReply 7m for more, 7a to ack$/);
  expect(messageText(dispatch({ link }), 7)).toBe("Two rooms, quiet street\nRooms\nReply 7a to ack");
});

test("a title cannot add lines, reorder what is read, or hide in control characters", () => {
  const title = "Two rooms\r\nReply STOP\u202e\u0000 now";
  expect(messageText(dispatch({ title }), 1).split("\n")[0]).toBe("Two rooms Reply STOP now");
});

test("a link that is none of the web is left out, and one in other scripts is written in ASCII", () => {
  expect(messageText(dispatch({ link: "javascript:alert(1)" }), 1)).not.toMatch(/javascript/);
  expect(messageText(dispatch({ link: "https://bücher.example/ä" }), 1)).toMatch(
    /\nhttps:\/\/xn--bcher-kva\.example\/%C3%A4\n/,
  );
});

test("in a script that takes much room the source, and then the link, gives way to the title", () => {
  const title = "ж".repeat(200);
  const link = `https://example.org/${"x".repeat(60)}`;
  expect(messageText(dispatch({ title, link }, "ж".repeat(30)), 1)).toMatch(
    /^ж{20,}\.\.\.\nhttps:\S{70,}\nReply 1a to ack$/,
  );
  expect(messageText(dispatch({ title, link: `${link}xxxxxxxxxx` }, "Rooms"), 1)).toMatch(
    /^ж{20,}\.\.\.\nRooms\nReply 1m for more, 1a to ack$/,
  );
});

test("a title that is whole is not marked as cut when something else gives way", () => {
  const link = `https://example.org/${"x".repeat(60)}`;
  const text = messageText(dispatch({ title: "Две комнаты", link }, "ж".repeat(40)), 1);
  expect(text).toBe(`Две комнаты\n${link}\nReply 1a to ack`);
});

const OPTIONS = [
  { id: "yes", label: "Yes" },
  { id: "say", label: "Say", input: true as const },
];

test("what can be answered is said with the message's number, and gives way where there is no room", () => {
  expect(messageText(dispatch({ options: OPTIONS }), 12)).toContain(
    "\nReply 12r1 Yes, 12r2 Say + your words\nReply 12a to ack",
  );
  const long = OPTIONS.map((option) => ({ ...option, label: "ж".repeat(40) }));
  const said = messageText(dispatch({ title: "ж".repeat(200), options: long }), 12);
  expect(segmentsOf(said).count).toBe(2);
  expect(said).not.toContain("12r1");
});

test("whatever comes, a message takes at most two segments and says how to answer", () => {
  const options = fc.array(
    fc.record({ id: fc.constant("a"), label: fc.string({ minLength: 1, maxLength: 40, size: "max" }) }),
    { minLength: 1, maxLength: 5 },
  );
  const character = fc.constantFrom(..."ab 9€ж…’é\n\u202e\ud83d", "🏠", "👩‍👧");
  const text = fc.string({ unit: character, maxLength: 500, size: "max" });
  const link = fc.integer({ min: 0, max: 120 }).map((length) => `https://example.org/${"x".repeat(length)}`);
  fc.assert(
    fc.property(
      text,
      text,
      fc.option(link),
      fc.option(options),
      fc.integer({ min: 1, max: 999 }),
      (title, source, more, offered, at) => {
        const said = messageText(
          dispatch({ title, link: more, ...(offered === null ? {} : { options: offered }) }, source),
          at,
        );
        expect(segmentsOf(said).count).toBeLessThanOrEqual(2);
        expect(said).toMatch(new RegExp(`${at}a to ack$`));
      },
    ),
  );
});
