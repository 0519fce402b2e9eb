import fc from "fast-check";
import { expect, test } from "vitest";
import type { Avatar } from "./avatar.ts";
import { AwakeAvatars, type AwakeOwner } from "./awake-avatars.ts";

/** An avatar without rows counts this much (bytes). */
const ONE = 1_500;

/** A shard whose avatars are made anew each time they wake. */
function makeOwner() {
  const made: string[] = [];
  const waitedFor = new Set<string>();
  const busy = new Set<string>();
  const owner: AwakeOwner = {
    createAvatar: (name) => {
      made.push(name);
      return {
        rowsHeld: 0,
        get isBusy() {
          return busy.has(name);
        },
      } as Avatar;
    },
    isWaitedFor: (name) => waitedFor.has(name),
  };
  return { owner, made, waitedFor, busy };
}

function turns(awake: AwakeAvatars, owner: AwakeOwner, names: readonly string[], nowAt = 0): void {
  for (const name of names) {
    awake.wake(name, owner, nowAt);
    awake.rest(name);
  }
}

test("an avatar that is idle for long falls asleep, one that was used since stays", () => {
  const { owner, made } = makeOwner();
  const awake = new AwakeAvatars({ idleMs: 100, mostBytes: 1_000_000 });
  turns(awake, owner, ["alice", "bob"], 0);
  turns(awake, owner, ["alice"], 50);
  awake.passivate(100);
  expect(awake.count).toBe(1);
  turns(awake, owner, ["alice"], 101);
  expect(made).toEqual(["alice", "bob"]);
});

test("above the bound those used longest ago fall asleep, before any other", () => {
  const { owner, made } = makeOwner();
  const awake = new AwakeAvatars({ idleMs: 100, mostBytes: 2 * ONE });
  turns(awake, owner, ["alice", "bob", "alice", "cid"]);
  expect(awake.count).toBe(2);
  turns(awake, owner, ["alice", "cid"]);
  expect(made).toEqual(["alice", "bob", "cid"]);
});

test("an avatar that holds many rows counts for as many others", () => {
  const { owner } = makeOwner();
  const awake = new AwakeAvatars({ idleMs: 100, mostBytes: 10 * ONE });
  turns(awake, owner, ["a", "b", "c", "d"]);
  const { memory } = awake.wake("heavy", owner, 0);
  for (let row = 0; row < 12; row++) memory.set(`row${row}`, {});
  awake.rest("heavy");
  expect(awake.count).toBe(2);
});

test("nobody falls asleep for whom a stimulus waits or a caller does, by time or by bound", () => {
  const { owner, made, waitedFor, busy } = makeOwner();
  const awake = new AwakeAvatars({ idleMs: 100, mostBytes: 2 * ONE });
  waitedFor.add("alice");
  busy.add("bob");
  turns(awake, owner, ["alice", "bob", "cid", "dot"]);
  awake.passivate(1_000);
  turns(awake, owner, ["alice", "bob"]);
  expect(made).toEqual(["alice", "bob", "cid", "dot"]);
  waitedFor.clear();
  busy.clear();
  awake.passivate(1_000);
  expect(awake.count).toBe(0);
});

test("when a shard goes, its avatars are forgotten and those of others are not", () => {
  const [first, second] = [makeOwner(), makeOwner()];
  const awake = new AwakeAvatars({ idleMs: 100, mostBytes: 1_000_000 });
  turns(awake, first.owner, ["alice"]);
  turns(awake, second.owner, ["bob"]);
  awake.forgetAllOf(first.owner);
  expect(awake.count).toBe(1);
  turns(awake, second.owner, ["bob"]);
  expect(second.made).toEqual(["bob"]);
});

test("whatever is used in whatever order, the bound holds and the sum is that of those awake", () => {
  const names = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 60 });
  fc.assert(
    fc.property(names, (used) => {
      const { owner } = makeOwner();
      const awake = new AwakeAvatars({ idleMs: 10, mostBytes: 3 * ONE });
      for (const [at, name] of used.entries()) {
        turns(awake, owner, [name], at);
        if (at % 7 === 0) awake.passivate(at);
        expect(awake.bytes).toBe(awake.count * ONE);
        expect(awake.bytes).toBeLessThanOrEqual(3 * ONE);
      }
    }),
  );
});
