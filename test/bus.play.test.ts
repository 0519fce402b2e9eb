/** The contract of the bus on a real server, and what only a real server shows. */

import { readFile } from "node:fs/promises";
import { createServer, connect as dialTcp, type Socket } from "node:net";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Bus, connectClient, connectComponent } from "@tidings/bus";
import { createAccountStanza, xml } from "@tidings/protocol";
import { readSecret, silentLog } from "@tidings/runtime";
import { describeBus } from "@tidings/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type LoneNodes, startLoneNodes } from "./lone-nodes.ts";

const DOMAIN = "bus.localhost";
const log = silentLog();

interface End {
  readonly url: string;
  readonly domain: string;
  readonly password: string;
}

let nodes: LoneNodes;
/** On different nodes, so that all between them goes through s2s. */
let leftEnd: End;
let rightEnd: End;
let hostEnd: End;
beforeAll(async () => {
  nodes = await startLoneNodes(DOMAIN);
  const authority = await readFile(join(nodes.home, "ca.crt"), "utf8");
  setDefaultCACertificates([...getCACertificates(), authority]);
  leftEnd = await endOf(nodes.ejabberd.busUrls.agents, `im.agents.${DOMAIN}`);
  rightEnd = await endOf(nodes.ejabberd.busUrls.avatars, `monitor.avatars.${DOMAIN}`);
  hostEnd = await endOf(nodes.ejabberd.busUrls.avatars, `h1.hosts.avatars.${DOMAIN}`);
});
afterAll(async () => nodes?.stop());

async function endOf(url: string, domain: string): Promise<End> {
  return { url, domain, password: await readSecret(nodes.ejabberd.passwordFile(domain)) };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describeBus("the bus on ejabberd", async () => {
  const link = await breakableLink(leftEnd.url);
  const left = connectComponent({ ...leftEnd, url: link.url, log });
  const right = connectComponent({ ...rightEnd, log });
  await Promise.all([online(left), online(right)]);
  return { left, right, interrupt: link.cut, close: link.close };
});

test("a client logs in over TLS, asks its server, and hears what is sent to it", async () => {
  const web = connectComponent({
    ...(await endOf(nodes.ejabberd.busUrls.agents, `web.agents.${DOMAIN}`)),
    log,
  });
  closers.push(() => web.stop());
  await web.request(
    createAccountStanza(web.address, DOMAIN, "c1", "alice", "wonderland", `alice@im.agents.${DOMAIN}`),
  );
  const url = `xmpp://127.0.0.1:${nodes.ports.xmpp}`;
  const alice = connectClient({ url, domain: DOMAIN, username: "alice", password: "wonderland", log });
  closers.push(() => alice.stop());
  await online(alice);
  expect(alice.address).toMatch(new RegExp(`^alice@${DOMAIN}/.+`));
  await alice.request(xml("iq", { type: "get" }, xml("query", { xmlns: "jabber:iq:roster" })));
  const heard = hears(alice, (text) => text === "to the resource", 1);
  await web.send(xml("message", { to: alice.address }, xml("body", {}, "to the resource")));
  await heard;
  await web.request(xml("iq", { type: "get", to: alice.address }, xml("ping", { xmlns: "urn:xmpp:ping" })));
});

test("a wrong password keeps the bus offline, and the right one after it gets in", async () => {
  const wrong = connectComponent({ ...leftEnd, password: "wrong", log });
  closers.push(() => wrong.stop());
  const right = connectComponent({ ...leftEnd, log });
  closers.push(() => right.stop());
  await online(right);
  expect(wrong.isOnline).toBe(false);
});

test("what an avatar host sends itself comes back, on which the keep-alive relies", async () => {
  const host = connectComponent({ ...hostEnd, log });
  closers.push(() => host.stop());
  await online(host);
  const heard = new Promise<void>((resolve) => {
    host.onStanza((stanza) => {
      if (stanza.getChild("ping") !== undefined) resolve();
    });
  });
  await host.send(
    xml("iq", { type: "get", to: hostEnd.domain, id: "p" }, xml("ping", { xmlns: "urn:xmpp:ping" })),
  );
  await heard;
});

test("of two connections with one domain the newer one stays", async () => {
  const older = connectComponent({ ...leftEnd, log });
  closers.push(() => older.stop());
  await online(older);
  const broken = new Promise<void>((resolve) => older.onOffline(resolve));
  const newer = connectComponent({ ...leftEnd, log });
  closers.push(() => newer.stop());
  await broken;
  await online(newer);
});

test("a sender waits when its server stops reading, and all arrives when it reads again", async () => {
  const link = await breakableLink(leftEnd.url);
  closers.push(link.close);
  const left = connectComponent({ ...leftEnd, url: link.url, log, maxInFlightBytes: 100_000 });
  const right = connectComponent({ ...rightEnd, log });
  closers.push(
    () => left.stop(),
    () => right.stop(),
  );
  await Promise.all([online(left), online(right)]);
  const count = 4_000;
  const body = "x".repeat(5_000);
  const heard = hears(right, (text) => text === body, count);
  const pause = hears(right, (text) => text === "meanwhile", 1);

  link.stall();
  let sent = 0;
  const sending = Array.from({ length: count }, async () => {
    await left.send(xml("message", { to: `r@${rightEnd.domain}` }, xml("body", {}, body)));
    sent += 1;
  });
  await right.send(xml("message", { to: `r@${rightEnd.domain}` }, xml("body", {}, "meanwhile")));
  await pause;
  expect(sent).toBeLessThan(count);

  link.flow();
  await Promise.all([...sending, heard]);
});

/** Resolves when `bus` has heard `count` bodies that `fits` likes. */
function hears(bus: Bus, fits: (text: string | null) => boolean, count: number): Promise<void> {
  let heard = 0;
  return new Promise((resolve) => {
    bus.onStanza((stanza) => {
      if (fits(stanza.getChildText("body"))) heard += 1;
      if (heard === count) resolve();
    });
  });
}

async function online(bus: Bus): Promise<void> {
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
}

/** A TCP link to `url` that can be cut and stalled. */
async function breakableLink(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dialTcp(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as { port: number };
  const cut = async () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `xmpp://127.0.0.1:${address.port}`,
    cut,
    stall: () => sockets.forEach((socket) => void socket.pause()),
    flow: () => sockets.forEach((socket) => void socket.resume()),
    close: async () => {
      await cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
