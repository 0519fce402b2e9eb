import { expect, test } from "vitest";
import {
  inOrder,
  memoryBounded,
  noEffectOfTheDeposed,
  nothingDoubled,
  nothingLost,
  nothingWaits,
  repeatsAreRecognisable,
} from "./invariants.ts";

const entry = (id: string, title: string) => ({ id, title, source: "rss.1", state: "received" });
const heard = (id: string, title: string, originId = id) => ({ id, title, originId });
const history = [entry("b", "rooms #2"), entry("a", "rooms #1")];

test("a published item that is in no history is lost, and what is there is not", () => {
  expect(nothingLost("alice", ["rooms #1", "rooms #2"], history)).toEqual([]);
  expect(nothingLost("alice", ["rooms #1", "rooms #3"], history)).toEqual([
    { invariant: "I1", what: 'alice never got "rooms #3" into the history' },
  ]);
});

test("an item that stands twice in a history is doubled, by its id or by its title", () => {
  expect(nothingDoubled("alice", history)).toEqual([]);
  expect(nothingDoubled("alice", [...history, entry("a", "rooms #9")])).toHaveLength(1);
  expect(nothingDoubled("alice", [...history, entry("c", "rooms #1")])).toHaveLength(1);
});

test("a repeat must have the id that it had before, and that of the history, as its origin-id as well", () => {
  expect(repeatsAreRecognisable("alice", [heard("a", "rooms #1"), heard("a", "rooms #1")], history)).toEqual(
    [],
  );
  expect(repeatsAreRecognisable("alice", [heard("x", "rooms #9"), heard("y", "rooms #9")], [])).toHaveLength(
    1,
  );
  expect(repeatsAreRecognisable("alice", [heard("x", "rooms #1")], history)).toHaveLength(1);
  expect(repeatsAreRecognisable("alice", [heard("a", "rooms #1", "z")], history)).toHaveLength(1);
});

test("an item behind a later one of its feed is out of order, and a repeat of one that came in order is not", () => {
  expect(inOrder("alice", ["rooms #1", "cars #5", "rooms #2", "rooms #1", "cars #6"])).toEqual([]);
  expect(inOrder("alice", ["rooms #2", "rooms #1"])).toEqual([
    { invariant: "I4", what: 'alice got "rooms #1" behind #2' },
  ]);
});

test("an effect of an old epoch behind one of its successor is a violation, at that receiver alone", () => {
  const effect = (at: string, epoch: number) => ({ at, shard: 7, epoch, what: "frame 1" });
  expect(noEffectOfTheDeposed([effect("h1", 1), effect("h2", 2), effect("h1", 2), effect("h2", 2)])).toEqual(
    [],
  );
  expect(noEffectOfTheDeposed([effect("h1", 2), effect("h1", 1)])).toHaveLength(1);
});

test("a process above its bound is named with both figures", () => {
  const used = new Map([
    ["web-api", 90_000_000],
    ["avatar-host-h1", 700_000_000],
  ]);
  expect(memoryBounded(used, 600_000_000)).toEqual([
    { invariant: "I7", what: "avatar-host-h1 takes 700 MB, more than 600 MB" },
  ]);
});

test("what waits at the end is named with its count", () => {
  expect(nothingWaits({ "the outboxes of h1": 0 })).toEqual([]);
  expect(nothingWaits({ "the outboxes of h1": 3 })).toEqual([
    { invariant: "I8", what: "3 left in the outboxes of h1" },
  ]);
});

test("of many violations a few are told and the rest is counted", () => {
  const lost = nothingLost(
    "alice",
    Array.from({ length: 1_000 }, (_, at) => `rooms #${at + 10}`),
    history,
  );
  expect(lost).toHaveLength(6);
  expect(lost.at(-1)?.what).toBe("and 995 more like it");
});
