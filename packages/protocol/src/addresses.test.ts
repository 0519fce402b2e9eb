import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bareJid,
  SHARDS,
  shardLocalpart,
  shardNamed,
  shardOf,
  splitJid,
  userNameProblem,
} from "./addresses.ts";

test("a shard is reached under its own localpart, and every other localpart has one shard", () => {
  for (let shard = 0; shard < SHARDS; shard++) {
    expect(shardNamed(shardLocalpart(shard))).toBe(shard);
    expect(shardOf(shardLocalpart(shard))).toBe(shard);
  }
  fc.assert(
    fc.property(fc.string(), (localpart) => {
      expect(shardOf(localpart)).toBeGreaterThanOrEqual(0);
      expect(shardOf(localpart)).toBeLessThan(SHARDS);
      expect(shardOf(localpart)).toBe(shardOf(localpart));
    }),
  );
});

test("shards are where the Erlang module finds them: erlang:crc32 modulo 64", () => {
  expect(shardOf("123456789")).toBe(0xcbf43926 % 64);
  expect(shardOf("_64")).not.toBe(64);
  expect(shardNamed("_64")).toBeNull();
  expect(shardNamed("_1x")).toBeNull();
});

test("names are spread over all shards", () => {
  const used = new Set(Array.from({ length: 2_000 }, (_, n) => shardOf(`user-${n}`)));
  expect(used.size).toBe(SHARDS);
});

test("a JID falls into its parts; a resource may hold @ and /", () => {
  expect(splitJid("alice@d/phone@home/2")).toEqual({ local: "alice", domain: "d", resource: "phone@home/2" });
  expect(splitJid("d/a@b")).toEqual({ local: "", domain: "d", resource: "a@b" });
  expect(splitJid("d")).toEqual({ local: "", domain: "d", resource: "" });
  expect(bareJid("alice@d/phone@home/2")).toBe("alice@d");
});

test.each(["alice", "al", "a-1", "x".repeat(32)])("%s can be a user name", (name) => {
  expect(userNameProblem(name)).toBeNull();
});

test.each([
  "a",
  "x".repeat(33),
  "Alice",
  "a.b",
  "-ab",
  "ab-",
  "1ab",
  "a_b",
  "älice",
  "a b",
  "admin",
  "",
  "_17",
])("%s cannot be a user name, and a sentence says why", (name) => {
  expect(userNameProblem(name)).toMatch(/^[A-Z].*\.$/);
});
