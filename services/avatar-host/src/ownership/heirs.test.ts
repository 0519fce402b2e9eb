import type { Lease } from "@tidings/store";
import { expect, test } from "vitest";
import { Heirs } from "./heirs.ts";

function leases(owners: readonly (string | null)[]): Lease[] {
  return owners.map((host, shard) => ({
    shard,
    epoch: 1,
    owner: host === null ? null : { host, inc: "1" },
  }));
}

test("who has the fewest shards is likely to take the next, and what was given to it counts", () => {
  const heirs = new Heirs();
  heirs.note(leases(["h1", "h1", "h1", "h2", "h2", "h3", null]));
  expect(["first", "second", "third", "fourth"].map(() => heirs.choose(["h2", "h3"]))).toEqual([
    "h3",
    "h2",
    "h3",
    "h2",
  ]);
  heirs.note(leases(["h2", "h2", "h3"]));
  expect(heirs.choose(["h2", "h3"])).toBe("h3");
});

test("nobody is an heir where nobody else can serve", () => {
  expect(new Heirs().choose([])).toBeNull();
});
