import { type MemoryBus, MemoryExchange } from "@tidings/bus";
import { CallError, type Element, payload, refusalStanza, xml } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import { Claims } from "./claims.ts";

const [HOST, SILO] = ["h1.hosts.avatars.d", "s1.avatars.d"];
let exchange = new MemoryExchange();

beforeEach(() => {
  exchange = new MemoryExchange();
});

async function online(domain: string): Promise<MemoryBus> {
  const bus = exchange.connect(domain);
  await new Promise<void>((resolve) => bus.onOnline(resolve));
  return bus;
}

/** Claims at a router that answers each question with what `answer` makes of it. */
async function claims(answer: (asked: Element) => Element): Promise<Claims> {
  const router = await online(SILO);
  router.onStanza((asked) => void router.send(answer(asked)));
  return new Claims(await online(HOST), HOST, SILO);
}

const result = ({ attrs }: Element, ...children: Element[]) =>
  xml("iq", { type: "result", from: attrs.to, to: attrs.from, id: attrs.id }, ...children);
const refusal = ({ attrs }: Element, error: CallError) =>
  refusalStanza(attrs.to, attrs.from, attrs.id, error);

test("a claim that is stale tells how high the next one has to be", async () => {
  const stale = new CallError("cancel", "conflict", "epoch 41 owns this shard");
  const asking = await claims((asked) => refusal(asked, stale));
  expect(asking.floor(17)).toBe(0);
  await expect(asking.step("claim", 17, 3)).rejects.toMatchObject({ condition: "conflict" });
  expect(asking.floor(17)).toBe(41);
  expect(asking.floor(18)).toBe(0);
});

test("a silo that takes no claims at all is said with what to look at", async () => {
  const asking = await claims((asked) => refusal(asked, new CallError("cancel", "service-unavailable", "")));
  await expect(asking.step("claim", 17, 3)).rejects.toThrow("check TIDINGS_DOMAIN");
  await expect(asking.step("unclaim", 17, 3)).rejects.toMatchObject({ condition: "service-unavailable" });
});

test("what waits for an owner is what the router says of shards that nobody has claimed", async () => {
  const shards = [
    { shard: 3, state: "unowned", isAwaited: true, epoch: 1, host: "", spooled: 2 },
    { shard: 4, state: "unowned", isAwaited: false, epoch: 1, host: "", spooled: 0 },
    { shard: 5, state: "claimed", isAwaited: true, epoch: 1, host: "", spooled: 2 },
  ];
  const asking = await claims((asked) => result(asked, payload("counters", {}, { claims: 1, shards })));
  expect([...(await asking.awaited())]).toEqual([3]);
});

test("shards are taken in any order when the router does not say what waits", async () => {
  const nonsense = await claims((asked) => result(asked, payload("counters", {}, { shards: "many" })));
  expect((await nonsense.awaited()).size).toBe(0);
  const refused = await claims((asked) => refusal(asked, new CallError("auth", "forbidden", "")));
  expect((await refused.awaited()).size).toBe(0);
  const offline = new Claims(exchange.connect(HOST), HOST, SILO);
  expect((await offline.awaited()).size).toBe(0);
});
