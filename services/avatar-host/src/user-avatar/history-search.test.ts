import { expect, test } from "vitest";
import { isInState, searchFor } from "./history-search.ts";

const ROOM = {
  title: "Zwei Zimmer in der Straße",
  summary: "ruhig, mit\nBalkon – 640 €",
  author: "Renée Müller",
  link: "https://example.org/rooms/1234",
  sourceTitle: "Wohnungen Köln",
  categories: ["Miete"],
};

test.each([
  [null, true],
  ["", true],
  ["zimmer", true],
  ["ZIMMER zwei", true],
  ["zimmer drei", false],
  ["renee muller", true],
  ["Müller", true],
  ["koln", true],
  ["miete", true],
  ["rooms/1234", true],
  ['"zwei zimmer"', true],
  ['"zimmer zwei"', false],
  ['"mit balkon" koln', true],
  ['"', true],
  ["ﬁnde", false],
])("%j finds it: %j", (q, isFound) => {
  expect(searchFor(q)(ROOM)).toBe(isFound);
});

test("what is looked for may be written in compatibility forms, and what is missing is not found", () => {
  expect(searchFor("ﬁne")({ ...ROOM, title: "fine" })).toBe(true);
  expect(searchFor("null")({ ...ROOM, author: null, link: null, summary: null })).toBe(false);
});

test("unread is what the user has not seen, and every other state is itself", () => {
  for (const state of [
    "held",
    "dispatched",
    "handed",
    "received",
    "refused",
    "expired",
    "skipped",
    "snoozed",
    "unread",
  ] as const)
    expect(isInState(state, "unread"), state).toBe(true);
  for (const state of ["displayed", "acted", "read", "acked"] as const) {
    expect(isInState(state, "unread"), state).toBe(false);
    expect(isInState(state, state)).toBe(true);
  }
  expect(isInState("held", "handed")).toBe(false);
  expect(isInState("held", null)).toBe(true);
});
