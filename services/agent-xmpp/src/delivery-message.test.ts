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
