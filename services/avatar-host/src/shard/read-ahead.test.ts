import { onlyKey, type Range, withPrefix } from "@tidings/store";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AwakeAvatar } from "./awake-avatars.ts";
import { type AheadReader, readerFor } from "./read-ahead.ts";
import type { Cause } from "./stimulus.ts";

const WAKING: readonly Range[] = [
  { from: "a/", to: "b\0" },
  onlyKey("core"),
  withPrefix("h/", { limit: 1, reverse: true }),
];
const CAUSE: Cause = { kind: "continue" };

/** A store with these keys, each its own value, that notes what it is asked one by one. */
function storeOf(keys: readonly string[], isAhead = true) {
  const asked: unknown[] = [];
  const within = (range: Range) => {
    const found = keys.filter((key) => key >= range.from && key < range.to).sort();
    if (range.reverse) found.reverse();
    return found.slice(0, range.limit).map((key) => ({ key, value: key }));
  };
  const store: AheadReader = {
    get(_avatar, key) {
      asked.push(key);
      return keys.find((one) => one === key);
    },
    list(_avatar, range) {
      asked.push(range);
      return within(range);
    },
    listSeveral: (_avatar, ranges) => (isAhead ? ranges.flatMap(within) : null),
  };
  return { store, asked };
}

function awake(memory: Map<string, unknown> = new Map()): AwakeAvatar {
  return { avatar: { wakingRows: () => WAKING } as unknown as AwakeAvatar["avatar"], memory };
}

test("what is read ahead, and what is not there of it, is not asked for again", () => {
  const { store, asked } = storeOf(["a/1", "a/2", "b", "h/1", "h/2", "x"]);
  const reader = readerFor("alice", awake(), CAUSE, store);
  expect(["a/1", "a/9", "b", "core"].map((key) => reader.get("alice", key))).toEqual([
    "a/1",
    undefined,
    "b",
    undefined,
  ]);
  expect(reader.list("alice", withPrefix("a/")).map(({ key }) => key)).toEqual(["a/1", "a/2"]);
  expect(reader.list("alice", withPrefix("h/", { limit: 1, reverse: true }))).toEqual([
    { key: "h/2", value: "h/2" },
  ]);
  expect(asked).toEqual([]);
});

test("nothing is read ahead for who is awake already, or has rows that are newer than the file", () => {
  const { store } = storeOf(["core"]);
  expect(readerFor("alice", awake(new Map([["core", {}]])), CAUSE, store)).toBe(store);
  const { store: busy } = storeOf(["core"], false);
  expect(readerFor("alice", awake(), CAUSE, busy)).toBe(busy);
});

test("whatever is asked for, the answer is the store's", () => {
  const key = fc.stringMatching(/^(a\/|b|core|h\/|x)[0-3]?$/);
  const range = fc.record<Range>(
    {
      from: fc.constantFrom("a/", "a/1", "b", "core", "h/", "h/2"),
      to: fc.constantFrom("a/2", "a/\uffff", "b", "b\0", "core\0", "h/\uffff"),
      limit: fc.constantFrom(1, 2),
      reverse: fc.constant(true),
    },
    { requiredKeys: ["from", "to"] },
  );
  fc.assert(
    fc.property(fc.uniqueArray(key), key, range, (present, one, several) => {
      const { store } = storeOf(present);
      const reader = readerFor("alice", awake(), CAUSE, store);
      expect(reader.get("alice", one)).toBe(store.get("alice", one));
      expect(reader.list("alice", several)).toEqual(store.list("alice", several));
    }),
  );
});
