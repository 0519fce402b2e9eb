import { expect, test } from "vitest";
import { RecentMessages } from "./recent-messages.ts";

const DAY_MS = 24 * 3_600_000;

test("the last message is the one that went last, for a day, and each address has its own", () => {
  const recent = new RecentMessages();
  for (const id of ["a", "b", "a"]) recent.note("alice", "alice@d", id, 0);
  recent.note("alice", "alice@e", "c", 0);
  expect(recent.last("alice", "alice@d", DAY_MS - 1)).toBe("a");
  expect(recent.before("alice", "alice@d", "a", 0)).toEqual(["b"]);
  expect(recent.last("bob", "alice@d", 0)).toBeNull();
  expect(recent.last("alice", "alice@d", DAY_MS)).toBeNull();
});

test("of many only the latest are known, and nothing is before what is forgotten", () => {
  const recent = new RecentMessages();
  for (let n = 0; n < 100; n++) recent.note("alice", "alice@d", `${n}`, 0);
  expect(recent.before("alice", "alice@d", "99", 0)).toHaveLength(19);
  expect(recent.before("alice", "alice@d", "1", 0)).toEqual([]);
});
