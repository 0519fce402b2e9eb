import { xml } from "@tidings/protocol";
import { expect, test } from "vitest";
import { isQuoteOf, readSaid } from "./said.ts";
import { ALICE, ALICES_AGENT } from "./stage.ts";

const said = (body: string, ...more: ReturnType<typeof xml>[]) =>
  readSaid(xml("message", { from: `${ALICE}/p`, to: ALICES_AGENT }, xml("body", {}, body), ...more));
const reply = (id: string) => xml("reply", { xmlns: "urn:xmpp:reply:0", id, to: ALICES_AGENT });
const fallback = (start: number, end: number) =>
  xml(
    "fallback",
    { xmlns: "urn:xmpp:fallback:0", for: "urn:xmpp:reply:0" },
    xml("body", { start: String(start), end: String(end) }),
  );

test("a reply names its message, and what stands in for it elsewhere is not what is said", () => {
  const body = "> \u{1f525} Two rooms\nack";
  expect(said(body, reply("m1"), fallback(0, 14))).toMatchObject({
    text: "ack",
    repliesTo: "m1",
    quote: null,
  });
  expect(said(body, reply("m1"))).toMatchObject({ text: "ack", repliesTo: "m1" });
  expect(said("ack", reply("m1"))).toMatchObject({ text: "ack", repliesTo: "m1" });
});

test("a quote that names no message is kept apart", () => {
  expect(said("> Two rooms\n> Rooms\n\nack")).toMatchObject({
    text: "ack",
    repliesTo: null,
    quote: "Two rooms",
  });
  expect(said("help")).toMatchObject({ text: "help", repliesTo: null, quote: null });
  expect(said("> only a quote\n")).toBeNull();
});

test("a quote is of the title that it begins", () => {
  expect(isQuoteOf("Two rooms", "Two rooms, quiet street")).toBe(true);
  expect(isQuoteOf("Two rooms…", "Two rooms, quiet street")).toBe(true);
  expect(isQuoteOf("One room", "Two rooms, quiet street")).toBe(false);
  expect(isQuoteOf("…", "Two rooms, quiet street")).toBe(false);
});

test("an odd fallback leaves the text as it is", () => {
  for (const odd of [fallback(5, 2), fallback(-3, 900), fallback(Number.NaN, 0)])
    expect(() => said("> a\nack", reply("m1"), odd)).not.toThrow();
});
