import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MemoryBus, MemoryExchange } from "@tidings/bus";
import {
  addressesOf,
  type Element,
  handOverStanza,
  reportsStanza,
  SHARDS,
  shardOf,
  xml,
} from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { afterEach, expect, test, vi } from "vitest";
import { eventually } from "../../../packages/testkit/src/eventually.ts";
import { MemoryTable } from "../../../packages/testkit/src/memory-table.ts";
import { AvatarHost } from "./host.ts";

const folder = mkdtempSync(join(tmpdir(), "host-"));
const table = new MemoryTable();
const leaseTable = new MemoryTable();
const broker = new MemoryBroker();
const exchange = new MemoryExchange();
const hosts: AvatarHost[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(hosts.map((host) => host.stop()));
  rmSync(folder, { recursive: true });
});

/** The silo's domain, which grants every claim; it notes what it is asked. */
function router(): string[] {
  const asked: string[] = [];
  const bus = exchange.connect("s1.avatars.d");
  bus.onStanza((stanza) => {
    if (!stanza.is("iq")) return;
    const { from, to, id } = stanza.attrs;
    asked.push(`${stanza.getChildElements()[0]?.name} ${from}`);
    void bus.send(xml("iq", { type: "result", from: to, to: from, id }));
  });
  return asked;
}

function host(name: string): { readonly host: AvatarHost; readonly bus: MemoryBus } {
  const bus = exchange.connect(`${name}.hosts.avatars.d`);
  const fail = (reason: string) => expect.fail(reason);
  const made = new AvatarHost({
    config: {
      TIDINGS_HOME: folder,
      TIDINGS_DOMAIN: "d",
      TIDINGS_HOST_NAME: name,
      TIDINGS_DYNAMODB_ENDPOINT: "",
      TIDINGS_AMQP_URL: "",
      TIDINGS_BUS_URL: "",
      TIDINGS_BUS_PASSWORD_FILE: "",
      TIDINGS_POLL_MIN_SECONDS: 300,
      TIDINGS_AVATAR_IDLE_SECONDS: 300,
      TIDINGS_CHECKPOINT_SECONDS: 60,
      TIDINGS_AVATARS_AWAKE_MB: 150,
    },
    bus,
    queue: broker.connect(),
    table,
    leaseTable,
    service: { log: silentLog(), onStop: () => {}, fail },
  });
  hosts.push(made);
  return { host: made, bus };
}

test("a host that loses its bus alone hands over without it, and serves its share again when it is back", async () => {
  const asked = router();
  const [cut, other] = [host("h1"), host("h2")];
  await Promise.all([cut.host.start(), other.host.start()]);
  const shares = () => [cut.host.status.shards, other.host.status.shards];
  await eventually(() => expect(shares()).toEqual([SHARDS / 2, SHARDS / 2]));

  cut.bus.goOffline();
  asked.length = 0;
  const real = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => real() + 11_000);
  await eventually(() => expect(shares()).toEqual([0, SHARDS]));
  expect(asked.filter((what) => what.includes("h1."))).toEqual([]);

  cut.bus.goOnline();
  await eventually(() => expect(shares()).toEqual([SHARDS / 2, SHARDS / 2]));
  expect(asked.some((what) => what.startsWith("claim h1."))).toBe(true);
}, 40_000);

test("leases and heartbeats go over connections of their own, not behind what the shards ask", async () => {
  router();
  await host("h1").host.start();
  const rows = async (asked: MemoryTable, pk: string) => (await Array.fromAsync(asked.query(pk))).length;
  expect(await rows(leaseTable, "S#s1")).toBe(SHARDS);
  expect(await rows(table, "S#s1")).toBe(0);
  expect(await rows(table, "J#s1#17")).toBeGreaterThan(0);
});

test("an avatar with a long history is read before its shard is handed over, and not when it wakes there", async () => {
  router();
  const shard = shardOf("alice");
  const rows = `C#s1#${shard}#alice`;
  await table.put(`C#s1#${shard}`, "#position", { seq: { N: "1" }, epoch: { N: "1" } });
  for (let n = 0; n < 300; n++)
    await table.put(rows, `h/${n}`, { run: { N: "1" }, value: { S: `notification ${n}` } });
  const query = vi.spyOn(table, "query");
  const reads = () => query.mock.calls.filter(([pk]) => pk === rows).length;
  const [giver, heir] = [host("h1"), host("h2")];
  await giver.host.start();
  giver.bus.receive(presenceOf("alice"));
  await eventually(() => expect(giver.host.status.awakeAvatars).toBe(1));
  expect(reads()).toBe(1);

  await heir.host.start();
  await eventually(() => expect(heir.host.status.shards).toBe(SHARDS / 2));
  const web = exchange.connect("web.agents.d");
  const isGiven = () => heir.host.load.shards.some((owned) => owned.shard === shard);
  if (!isGiven()) await web.request(handOverStanza("web.agents.d", "h1.hosts.avatars.d", shard, "h2"));
  await eventually(() => expect(isGiven()).toBe(true));
  expect(reads()).toBe(2);
  heir.bus.receive(presenceOf("alice"));
  await eventually(() => expect(heir.host.status.awakeAvatars).toBe(1));
  expect(reads()).toBe(2);
}, 40_000);

/** What the agent reports of a user who has come online. */
function presenceOf(user: string): Element {
  const of = { kind: "presence", user, address: `${user}@d`, resource: "phone" } as const;
  const report = { ...of, show: "available", priority: 0, idleSinceAt: null, order: 1 } as const;
  const { im, silo } = addressesOf("d");
  return reportsStanza(im, silo, shardOf(user), "1", { agentEpoch: 1, reports: [report] });
}
