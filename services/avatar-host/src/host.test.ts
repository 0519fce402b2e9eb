import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MemoryBus, MemoryExchange } from "@tidings/bus";
import { SHARDS, xml } from "@tidings/protocol";
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
