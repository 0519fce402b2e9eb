import { expect, test } from "vitest";
import { deliveryMessage, deliveryText } from "./delivery-message.ts";
import { ALICES_AGENT, dispatch } from "./stage.ts";

const written = (
  changes: Partial<ReturnType<typeof dispatch>["notification"]>,
  more: Parameters<typeof dispatch>[0] = {},
) => dispatch({ ...more, notification: { ...dispatch().notification, ...changes } });

test("a delivery carries its id twice, asks for a receipt, and is to be stored", () => {
  const { id } = dispatch().notification;
  const message = deliveryMessage(dispatch(), ALICES_AGENT);
  expect(message.attrs).toMatchObject({ type: "chat", id, from: ALICES_AGENT });
  expect(message.getChild("origin-id", "urn:xmpp:sid:0")?.attrs.id).toBe(id);
  expect(message.getChild("request", "urn:xmpp:receipts")).toBeDefined();
  expect(message.getChild("markable", "urn:xmpp:chat-markers:0")).toBeDefined();
  expect(message.getChild("store", "urn:xmpp:hints")).toBeDefined();
  expect(message.getChild("x", "jabber:x:oob")).toBeUndefined();
  expect(message.getChild("delay")).toBeUndefined();
});

test("what was held says since when", () => {
  const held = deliveryMessage(dispatch({ heldSinceAt: 1_000 }), ALICES_AGENT);
  expect(held.getChild("delay", "urn:xmpp:delay")?.attrs.stamp).toBe("1970-01-01T00:00:01.000Z");
});

test("the first line is the title and the last the bare link", () => {
  const lines = deliveryText(written({ title: "A\nB\u202e", link: "https://example.org/x" })).split("\n");
  expect(lines[0]).toBe("A B");
  expect(lines.at(-1)).toBe("https://example.org/x");
});

test("what can be answered stands before the link", () => {
  const options = [
    { id: "restart", label: "Restart" },
    { id: "say", label: "Say", input: true as const },
  ];
  const lines = deliveryText(written({ options, link: "https://example.org/x" })).split("\n");
  expect(lines.slice(-2)).toEqual(["Reply with 1 Restart, 2 Say + your words", "https://example.org/x"]);
});

test("a link that is not of the web is not shown", () => {
  expect(deliveryText(written({ link: "javascript:alert(1)" }))).not.toContain("javascript");
  expect(deliveryText(written({ link: null, title: "T" }, { sourceTitle: null }))).toBe("T");
});

test("text that looks like formatting is marked as plain", () => {
  expect(deliveryMessage(written({ title: "a *b* c" }), ALICES_AGENT).getChild("unstyled")).toBeDefined();
  expect(deliveryMessage(written({ title: "plain" }), ALICES_AGENT).getChild("unstyled")).toBeUndefined();
});

test("a delivery stays short, except for its link", () => {
  const text = deliveryText(
    written({ title: "t".repeat(500), link: "https://e.org/" }, { sourceTitle: "s".repeat(500) }),
  );
  expect(text.length).toBeLessThan(600);
});

test("a correction takes the place of the message that it names, under an id of its own", () => {
  const correction = deliveryMessage(dispatch({ corrects: "m1" }), ALICES_AGENT);
  expect(correction.getChild("replace", "urn:xmpp:message-correct:0")?.attrs.id).toBe("m1");
  expect(correction.attrs.id).toBe(dispatch().notification.id);
  expect(deliveryMessage(dispatch(), ALICES_AGENT).getChild("replace")).toBeUndefined();
});

test("a digest says what is in it, with the links, and how many more there are", () => {
  const member = (n: number, link: string | null) => ({
    id: `${n}`,
    title: `Room ${n}`,
    link,
    sourceTitle: "Rooms",
    receivedAt: 1,
  });
  const two = [member(1, "https://example.org/1"), member(2, "javascript:alert(1)")];
  expect(deliveryText(dispatch({ members: two }))).toBe(
    "2 notifications\n• Room 1\n  https://example.org/1\n• Room 2",
  );
  const many = Array.from({ length: 12 }, (_, n) => member(n, null));
  const lines = deliveryText(dispatch({ members: many })).split("\n");
  expect([lines.length, lines.at(-1)]).toEqual([12, "and 2 more on your Tidings page"]);
});
