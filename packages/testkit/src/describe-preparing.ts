/** What a shard's next owner may read of it before it has it: a part of `describeCheckpoints`. */
import { expect, test } from "vitest";
import { row, type StoreStage } from "./store-stage.ts";

/** The next owner of a shard reads from the checkpoints while the present one still serves it. */
export function describePreparing(stage: StoreStage): void {
  const ALL = { from: "", to: "\uffff" };

  /** A store with checkpointed rows of alice, and what another host has read of them. */
  async function prepared(mostChars = 1_000_000) {
    const giver = await stage.open(1);
    giver.write({ rows: [row("alice", "a", "1"), row("alice", "b", "1"), row("alice", "c", "1")] });
    giver.write({ rows: [row("bob", "a", "1")] });
    await stage.checkpoint(giver);
    const rows = stage.prepares(mostChars);
    await rows.read(["alice", "bob"]);
    return { giver, rows };
  }

  test("what was read before is there at once, and what was written since is newer", async () => {
    const { giver, rows } = await prepared();
    giver.write({ rows: [row("alice", "b", "2"), row("alice", "c", null), row("alice", "d", "2")] });
    await giver.release();

    const heir = await stage.open(2, { path: "heir", prepared: rows });

    expect(heir.isHydrated("alice")).toBe(true);
    expect(heir.list("alice", ALL)).toEqual([
      { key: "a", value: "1" },
      { key: "b", value: "2" },
      { key: "d", value: "2" },
    ]);
    heir.write({ rows: [row("alice", "a", null)] });
    await stage.checkpoint(heir);
    expect(await stage.checkpointed("alice")).toEqual(["b", "d"]);
  });

  test("what was read before does not count when the checkpoints have moved since", async () => {
    const { giver, rows } = await prepared();
    giver.write({ rows: [row("alice", "a", null)] });
    await stage.checkpoint(giver);
    await giver.release();

    const heir = await stage.open(2, { path: "heir", prepared: rows });

    expect(heir.isHydrated("alice")).toBe(false);
    await heir.hydrate("alice");
    expect(heir.list("alice", ALL).map(({ key }) => key)).toEqual(["b", "c"]);
  });

  test("what a checkpoint has written that came to nothing does not count either", async () => {
    const giver = await stage.open(1, { onLost: () => {} });
    const late = stage.holdBackRow("z", "fails");
    giver.write({ rows: [row("alice", "a", "1"), row("alice", "z", "1")] });
    await stage.beginCheckpoint(giver);
    await late.isAsked;
    await late.lands();
    expect(await stage.checkpointed("alice")).toEqual(["a", "z"]);
    const rows = stage.prepares(1_000_000);
    await rows.read(["alice"]);
    giver.write({ rows: [row("alice", "a", null)] });
    await giver.release();

    const heir = await stage.open(2, { path: "heir", prepared: rows });

    await heir.hydrate("alice");
    expect(heir.list("alice", ALL).map(({ key }) => key)).toEqual(["z"]);
  });

  test("only so much is read beforehand, and nothing once it is given up", async () => {
    const { giver, rows } = await prepared(50);
    await giver.release();
    const heir = await stage.open(2, { path: "heir", prepared: rows });
    expect(["alice", "bob"].map((name) => heir.isHydrated(name))).toEqual([true, false]);
    heir.close();

    const late = stage.prepares(1_000_000);
    const reading = late.read(["alice"]);
    late.giveUp();
    await reading;
    const other = await stage.open(3, { path: "other", prepared: late });
    expect(other.isHydrated("alice")).toBe(false);
  });

  test("an owner that is about to give the shard back names who has much, and leaves the checkpoints as they are", async () => {
    const store = await stage.open(1);
    const rowsOf = (avatar: string, count: number) =>
      Array.from({ length: count }, (_, n) => row(avatar, `h/${n}`, "1"));
    for (const [avatar, count] of [
      ["few", 20],
      ["many", 300],
      ["most", 400],
    ] as const)
      store.write({ rows: rowsOf(avatar, count) });
    await stage.checkpoint(store);
    const before = await stage.position();

    expect(await store.prepareRelease(["few", "many", "nobody", "most"])).toEqual(["most", "many"]);

    await stage.beginCheckpoint(store);
    expect(await stage.position()).toBe(before);
    await store.release();
    expect(await store.prepareRelease(["many"])).toEqual([]);
  });
}
