import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { decode, encode, type Packet, type RecordType } from "dns-packet";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import {
  answerTo,
  type HostOf,
  type LookUp,
  portOf,
  type SrvResponder,
  startSrvResponder,
} from "./srv-responder.ts";

const table = new Map([
  ["d.localhost", 1],
  ["agents.d.localhost", 2],
]);

const started: SrvResponder[] = [];
afterEach(async () => {
  for (const responder of started.splice(0)) await responder.stop();
});

async function starts(hostOf?: HostOf): Promise<{ responder: SrvResponder; resolver: Resolver }> {
  const responder = await startSrvResponder(0, Object.fromEntries(table), nobody, hostOf);
  started.push(responder);
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${responder.port}`]);
  return { responder, resolver };
}

const nobody = () => Promise.reject(new Error("no such record"));

async function asks(name: string, type: RecordType = "SRV", lookUp: LookUp = nobody): Promise<Packet | null> {
  const answer = await answerTo(
    encode({ type: "query", id: 7, questions: [{ type, name }] as never }),
    table,
    lookUp,
  );
  return answer === null ? null : decode(Buffer.from(answer));
}

test("a domain stands for everything below it, and the longest one that matches counts", () => {
  expect(portOf("d.localhost", table)).toBe(1);
  expect(portOf("x.y.d.localhost", table)).toBe(1);
  expect(portOf("im.agents.d.localhost", table)).toBe(2);
  for (const name of ["localhost", "xd.localhost", "d.localhost.example", ""])
    expect(portOf(name, table)).toBeNull();
});

test("a resolver gets the port of a known domain and learns that a strange one does not exist", async () => {
  const { responder, resolver } = await starts();
  const known = await resolver.resolveSrv("_xmpp-server._tcp.IM.agents.d.localhost");
  expect(known).toMatchObject([{ name: "127.0.0.1", port: 2, priority: 0, weight: 0 }]);
  await expect(resolver.resolveSrv("_xmpp-server._tcp.f.localhost")).rejects.toMatchObject({
    code: "ENOTFOUND",
  });

  responder.add("f.localhost", 9);
  expect((await resolver.resolveSrv("_xmpp-server._tcp.f.localhost"))[0]?.port).toBe(9);
  responder.remove("f.localhost");
  await expect(resolver.resolveSrv("_xmpp-server._tcp.f.localhost")).rejects.toMatchObject({
    code: "ENOTFOUND",
  });
});

test("other services and other types of record do not exist", async () => {
  for (const name of ["_xmpps-server._tcp.d.localhost", "_xmpp-client._tcp.d.localhost", "d.localhost"]) {
    expect(await asks(name)).toMatchObject({ id: 7, rcode: "NXDOMAIN", answers: [] });
  }
  expect(await asks("_xmpp-server._tcp.d.localhost", "A")).toMatchObject({ rcode: "NXDOMAIN", answers: [] });
  expect(await asks("_xmpp-server._tcp.d.localhost")).toMatchObject({ rcode: "NOERROR", flag_aa: true });
});

test("the world is asked for the world's domains, and never for those that are special or our own", async () => {
  const asked: string[] = [];
  const world: LookUp = async (name) => {
    asked.push(name);
    return Array.from({ length: 50 }, (_, port) => ({
      name: "xmpp.jabber.org",
      port,
      priority: 1,
      weight: 2,
    }));
  };
  const answer = await asks("_xmpps-server._tcp.Jabber.org", "SRV", world);
  expect(answer?.answers?.[0]).toMatchObject({
    data: { target: "xmpp.jabber.org", port: 0, priority: 1, weight: 2 },
  });
  for (const domain of ["d.localhost", "f.localhost", "a.test", "b.example", "c.local"]) {
    await asks(`_xmpp-server._tcp.${domain}`, "SRV", world);
  }
  await asks("jabber.org", "A", world);
  const misleading: LookUp = async () => [
    { name: "127.0.0.1", port: 5672, priority: 0, weight: 0 },
    { name: "no such\0name".repeat(90), port: 1, priority: 0, weight: 0 },
  ];
  expect(await asks("_xmpp-server._tcp.evil.org", "SRV", misleading)).toMatchObject({ rcode: "NXDOMAIN" });
  expect(asked).toEqual(["_xmpps-server._tcp.jabber.org"]);
  expect(await asks("_xmpp-server._tcp.jabber.org")).toMatchObject({ rcode: "NXDOMAIN" });
});

test("garbage is met with silence or with an answer, never with an exception", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 600 }),
      async (bytes) => void (await answerTo(bytes, table, nobody)),
    ),
    { numRuns: 1_000 },
  );
  const query = encode({
    type: "query",
    id: 1,
    questions: [{ type: "SRV", name: "_xmpp-server._tcp.d.localhost" }],
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(query.length - 1), fc.nat(255), async (index, byte) => {
      const broken = Buffer.from(query);
      broken[index] = byte;
      await answerTo(broken, table, nobody);
      await answerTo(broken.subarray(0, index), table, nobody);
    }),
    { numRuns: 3_000 },
  );
  expect(await answerTo(Buffer.alloc(0), table, nobody)).toBeNull();
});

test("the responder answers after it was sent garbage", async () => {
  const { responder, resolver } = await starts();
  const socket = createSocket("udp4");
  for (const garbage of ["", "x", "\0".repeat(12), "\xff".repeat(500)]) {
    await new Promise((resolve) =>
      socket.send(Buffer.from(garbage, "latin1"), responder.port, "127.0.0.1", resolve),
    );
  }
  socket.close();
  expect(await resolver.resolveSrv("_xmpp-server._tcp.d.localhost")).toHaveLength(1);
});

test("it may be stopped twice", async () => {
  const { responder } = await starts();
  await responder.stop();
  await responder.stop();
});

test("where each cluster has a machine of its own, the answer names it", async () => {
  const { resolver } = await starts((domain) => `node-of-${domain}`);
  expect(await resolver.resolveSrv("_xmpp-server._tcp.im.agents.d.localhost")).toMatchObject([
    { name: "node-of-agents.d.localhost", port: 2 },
  ]);
});
