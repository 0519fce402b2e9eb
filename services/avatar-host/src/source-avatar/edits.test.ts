import type { Item } from "@tidings/protocol";
import { itemId } from "@tidings/protocol";
import { expect, test } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { SourceAvatar } from "./source-avatar.ts";
import { itemNamed as item, NAME, resultWith } from "./source-stage.ts";

const PACE = { minMs: 300_000, spread: () => 0 };
const ADDRESS = "https://example.org/feed";

/** A feed that alice reads, and bob with all edits; `polls` gives what they were told by a document with these items. */
function feed() {
  const source = new Rehearsal(NAME, () => new SourceAvatar({ silo: "s1", pace: PACE, web: "web.d" }));
  source.hears("alice", { type: "subscribed", url: ADDRESS });
  source.hears("bob", { type: "subscribed", url: ADDRESS, edits: true });
  const polls = (...items: Item[]) => {
    source.getsResult(resultWith(source, items));
    return source.told.flatMap(({ to, event }) =>
      event.type === "notified" ? [`${to.join()} ${event.notification.title}`] : [],
    );
  };
  return { source, polls };
}

test("who wants it hears what an item says now, once; others hear of new items alone", () => {
  const { polls, source } = feed();
  polls(item("a"));
  expect(polls(item("a", "a, corrected"), item("b"))).toEqual(["bob,alice b", "bob Edited: a, corrected"]);
  const edit = source.told.flatMap(({ event }) => (event.type === "notified" ? [event.notification] : []))[1];
  expect(edit?.editOf).toBe(itemId(NAME, "a"));
  expect(edit?.id).not.toBe(itemId(NAME, "a"));
  expect(polls(item("a", "a, corrected"), item("b"))).toEqual([]);
});

test("an item that goes back and forth is told under the same id each time, which a history holds once", () => {
  const { polls, source } = feed();
  polls(item("a", "one"));
  const ids = ["two", "one", "two"].map((title) => {
    expect(polls(item("a", title))).toEqual([`bob Edited: ${title}`]);
    return source.told.flatMap(({ event }) => (event.type === "notified" ? [event.notification.id] : []))[0];
  });
  expect(ids[0]).toBe(ids[2]);
  expect(ids[0]).not.toBe(ids[1]);
});

test("a document that changes throughout has another form, no news", () => {
  const { polls } = feed();
  const names = ["a", "b", "c", "d", "e", "f"];
  polls(...names.map((name) => item(name)));
  expect(polls(...names.map((name) => item(name, `${name}!`)))).toEqual([]);
  expect(polls(item("a", "a?"), ...names.slice(1).map((name) => item(name, `${name}!`)))).toEqual([
    "bob Edited: a?",
  ]);
});

test("when the wish comes later, what an item said before that is not told; when it goes, no more is", () => {
  const { polls, source } = feed();
  source.hears("bob", { type: "subscribed", url: ADDRESS, edits: false });
  polls(item("a", "one"));
  expect(polls(item("a", "two"))).toEqual([]);
  source.hears("alice", { type: "subscribed", url: ADDRESS, edits: true });
  expect(polls(item("a", "three"))).toEqual([]);
  expect(polls(item("a", "four"))).toEqual(["alice Edited: four"]);
  source.hears("alice", { type: "unsubscribed" });
  expect(polls(item("a", "five"), item("b"))).toEqual(["bob b"]);
});
