import { type MemoryBus, MemoryExchange } from "@tidings/bus";
import { addressesOf, CallError, hostAddress, prepareStanza } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryTable } from "../../../../packages/testkit/src/memory-table.ts";
import { Preparations } from "./preparations.ts";

const [giver, heir] = [hostAddress("d", "h1"), hostAddress("d", "h2")];
let table = new MemoryTable();
let exchange = new MemoryExchange();

beforeEach(() => {
  table = new MemoryTable();
  exchange = new MemoryExchange();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A host's part, heard on the bus at `address`. */
function at(address: string): { readonly preparations: Preparations; readonly bus: MemoryBus } {
  const bus = exchange.connect(address);
  const addresses = addressesOf("d");
  const rest = { addresses, domain: "d", silo: "s1", log: silentLog() };
  const preparations = new Preparations({ bus, address, table, ...rest });
  bus.onStanza((stanza) => void preparations.answer(stanza));
  return { preparations, bus };
}

function queries() {
  const query = vi.spyOn(table, "query");
  return () => query.mock.calls.map(([pk]) => pk);
}

test("the heir has read the avatars when it says so, and gives what it has to who opens the shard", async () => {
  const [giving, taking] = [at(giver), at(heir)];
  const asked = queries();
  await giving.preparations.ask("h2", 17, ["alice", "bob"]);
  expect(asked()).toEqual(["C#s1#17#alice", "C#s1#17#bob"]);
  expect(taking.preparations.take(17)).toBeDefined();
  expect(taking.preparations.take(17)).toBeUndefined();
});

test("what nobody takes is forgotten", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const [giving, taking] = [at(giver), at(heir)];
  await giving.preparations.ask("h2", 17, ["alice"]);
  vi.advanceTimersByTime(15_000);
  expect(taking.preparations.take(17)).toBeUndefined();
});

test("more shards than are given at a time are refused, and may be asked for again", async () => {
  const [giving] = [at(giver), at(heir)];
  for (let shard = 0; shard < 16; shard++) await giving.preparations.ask("h2", shard, ["alice"]);
  const refused = await giving.preparations.ask("h2", 16, ["alice"]).catch((error) => error);
  expect(refused).toBeInstanceOf(CallError);
  expect(refused).toMatchObject({ type: "wait", condition: "resource-constraint" });
  await giving.preparations.ask("h2", 3, ["bob"]);
});

test.each([
  ["a shard that is none", 64, ["alice"]],
  ["too many avatars", 17, Array.from({ length: 65 }, (_, n) => `a${n}`)],
  ["an avatar without a name", 17, [""]],
])("%s is refused, and nothing is read", async (_, shard, avatars) => {
  const [giving] = [at(giver), at(heir)];
  const asked = queries();
  await expect(giving.preparations.ask("h2", shard, avatars)).rejects.toMatchObject({
    condition: "bad-request",
  });
  expect(asked()).toEqual([]);
});

test("a table that does not answer is said, and keeps nobody from asking again", async () => {
  const [giving] = [at(giver), at(heir)];
  vi.spyOn(table, "get").mockRejectedValueOnce(new Error("no route"));
  await expect(giving.preparations.ask("h2", 17, ["alice"])).rejects.toMatchObject({ type: "wait" });
  await giving.preparations.ask("h2", 17, ["alice"]);
});

test("who is no host has nothing read", async () => {
  const { preparations } = at(heir);
  for (const from of ["alice@d", "im.agents.d", "web.agents.d", "h1.hosts.avatars.d.evil.example"])
    expect(preparations.answer(prepareStanza(from, heir, 17, ["alice"]))).toBe(false);
});
