/** The three nodes with our modules in them: who may say what to whom, and what happens when an owner changes. */
import {
  type ClaimStep,
  claimStanza,
  countersStanza,
  readAwaited,
  readError,
  type Shard,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import xml, { type Element } from "@xmpp/xml";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Ejabberd } from "../run/ejabberd/nodes.ts";
import { type LoneNodes, startLoneNodes } from "./lone-nodes.ts";
import { RawComponent } from "./raw-component.ts";

const DOMAIN = "play.localhost";
const SILO = `s1.avatars.${DOMAIN}`;
const H1 = `h1.hosts.avatars.${DOMAIN}`;
const H2 = `h2.hosts.avatars.${DOMAIN}`;
const MONITOR = `monitor.avatars.${DOMAIN}`;
const IM = `im.agents.${DOMAIN}`;
const WEB = `web.agents.${DOMAIN}`;

let nodes: LoneNodes;
let ejabberd: Ejabberd;
const connected: RawComponent[] = [];

beforeAll(async () => {
  nodes = await startLoneNodes(DOMAIN);
  ejabberd = nodes.ejabberd;
});
afterEach(async () => {
  for (const component of connected.splice(0)) await component.cut();
});
afterAll(async () => nodes?.stop());

/** Each play has shards of its own, so that none sees another's epochs. */
let lastShard = -1;
function freshShard(): Shard {
  lastShard += 1;
  return lastShard;
}

async function joins(domain: string): Promise<RawComponent> {
  const url = domain.endsWith(`agents.${DOMAIN}`) ? ejabberd.busUrls.agents : ejabberd.busUrls.avatars;
  const component = await RawComponent.connect(url, domain, ejabberd.passwordFile(domain));
  connected.push(component);
  return component;
}

function step(host: RawComponent, what: ClaimStep, shard: Shard, epoch: number): Promise<Element> {
  return host.ask(claimStanza(what, host.domain, SILO, shard, epoch));
}

async function serves(host: RawComponent, shard: Shard, epoch: number): Promise<void> {
  expect((await step(host, "claim", shard, epoch)).attrs.type).toBe("result");
  expect((await step(host, "ready", shard, epoch)).attrs.type).toBe("result");
}

function note(from: string, shard: Shard, id: string): Element {
  return xml(
    "message",
    { type: "normal", from, to: `${shardLocalpart(shard)}@${SILO}`, id },
    xml("body", {}, id),
  );
}

const isNote = (stanza: Element) => stanza.name === "message" && stanza.getChild("body") !== undefined;
const isBus = (name: string) => (stanza: Element) => stanza.getChild(name, "urn:tidings:bus:1") !== undefined;
const isError = (stanza: Element) => stanza.attrs.type === "error";

test("what is sent to an unowned shard waits in order, wakes the monitor, and comes when its host is ready", async () => {
  const [host, agent, monitor] = await Promise.all([joins(H1), joins(IM), joins(MONITOR)]);
  const shard = freshShard();
  const ids = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
  for (const id of ids) agent.send(note(IM, shard, id));

  const wake = await monitor.hears(isBus("wake"));
  expect(wake.getChild("wake")?.attrs.shard).toBe(String(shard));
  await monitor.hears((stanza) => stanza.getChild("wake")?.attrs.spooled === "1000");
  expect(await awaitedShards()).toContain(shard);

  expect((await step(host, "claim", shard, 1)).attrs.type).toBe("result");
  expect(await awaitedShards()).not.toContain(shard);
  await host.hearsItself();
  expect(host.heard.filter(isNote)).toHaveLength(0);
  expect((await step(host, "ready", shard, 1)).attrs.type).toBe("result");
  agent.send(note(IM, shard, "after"));
  await host.hears((stanza) => stanza.attrs.id === "after");
  expect(host.heard.filter(isNote).map((stanza) => stanza.attrs.id)).toEqual(ids);
});

test("a question to an unowned shard is answered at once with an error to wait for, and wakes the monitor", async () => {
  const [agent, monitor] = await Promise.all([joins(WEB), joins(MONITOR)]);
  const shard = freshShard();
  const answer = await agent.ask(
    xml(
      "iq",
      { type: "get", from: WEB, to: `${shardLocalpart(shard)}@${SILO}` },
      xml("call", { xmlns: "urn:tidings:bus:1" }),
    ),
  );
  expect(readError(answer)).toMatchObject({ type: "wait", condition: "recipient-unavailable" });
  await monitor.hears((stanza) => stanza.getChild("wake")?.attrs.shard === String(shard));
  expect(await awaitedShards()).toContain(shard);
});

test("a claim with an epoch that is not higher is refused and told the highest", async () => {
  const [first, second] = await Promise.all([joins(H1), joins(H2)]);
  const shard = freshShard();
  await serves(first, shard, 5);
  for (const epoch of [4, 5]) {
    const refusal = await step(second, "claim", shard, epoch);
    expect(readError(refusal).condition).toBe("conflict");
    expect(refusal.getChild("stale", "urn:tidings:bus:1")?.attrs.epoch).toBe("5");
  }
  expect((await step(first, "claim", shard, 5)).attrs.type).toBe("result");
});

test("a deposed owner is told so, can say nothing more, and what it was just sent comes to its successor", async () => {
  const [old, successor, agent] = await Promise.all([joins(H1), joins(H2), joins(IM)]);
  const shard = freshShard();
  await serves(old, shard, 1);
  agent.send(note(IM, shard, "just-sent"));
  await old.hears((stanza) => stanza.attrs.id === "just-sent");

  await serves(successor, shard, 2);
  const revoked = await old.hears(isBus("revoked"));
  expect(revoked.getChild("revoked")?.attrs.epoch).toBe("2");
  await successor.hears((stanza) => stanza.attrs.id === "just-sent");
  old.send(xml("message", { from: `${shardLocalpart(shard)}@${SILO}`, to: IM, id: "zombie" }));
  const denial = await old.hears((stanza) => stanza.attrs.id === "zombie" && isError(stanza));
  expect(readError(denial).condition).toBe("forbidden");
  successor.send(xml("message", { from: `${shardLocalpart(shard)}@${SILO}`, to: IM, id: "lawful" }));
  await agent.hears((stanza) => stanza.attrs.id === "lawful");
  expect(agent.heard.filter((stanza) => stanza.attrs.id === "zombie")).toHaveLength(0);
});

test("when an owner's connection breaks, what it was just sent waits for the next owner, before what comes later", async () => {
  const [host, agent] = await Promise.all([joins(H1), joins(IM)]);
  const shard = freshShard();
  await serves(host, shard, 1);
  agent.send(note(IM, shard, "first"));
  await host.hears((stanza) => stanza.attrs.id === "first");
  await host.cut();
  await eventually(async () => expect((await shardState(shard)).state).toBe("unowned"));
  agent.send(note(IM, shard, "second"));

  const again = await joins(H1);
  await serves(again, shard, 1);
  await again.hears((stanza) => stanza.attrs.id === "second");
  expect(again.heard.filter(isNote).map((stanza) => stanza.attrs.id)).toEqual(["first"]);
});

test("epochs outlive a restart of the avatars node: only the same host comes back with the same epoch", async () => {
  const before = await joins(H1);
  const shard = freshShard();
  await serves(before, shard, 7);
  await ejabberd.kill("avatars");
  await ejabberd.restart("avatars");

  const [stranger, owner] = await Promise.all([joins(H2), joins(H1)]);
  expect(readError(await step(stranger, "claim", shard, 7)).condition).toBe("conflict");
  expect((await step(owner, "claim", shard, 7)).attrs.type).toBe("result");
});

test("a spool has an end, past which senders are told to wait", async () => {
  const agent = await joins(IM);
  const shard = freshShard();
  for (let index = 0; index < 10_005; index++) agent.send(note(IM, shard, `n${index}`));
  const bounce = await agent.hears(isError);
  expect(readError(bounce)).toMatchObject({ type: "wait", condition: "resource-constraint" });
  await eventually(() => expect(agent.heard.filter(isError)).toHaveLength(4));
  expect((await shardState(shard)).spooled).toBe(10_000);
});

test("a host speaks for itself and for its own shards, and for nobody else", async () => {
  const [host, agent] = await Promise.all([joins(H1), joins(IM)]);
  const [own, other] = [freshShard(), freshShard()];
  await serves(host, own, 1);
  const forged = [
    `${shardLocalpart(other)}@${SILO}`,
    SILO,
    H2,
    MONITOR,
    `alice@${IM}`,
    `avatars.${DOMAIN}`,
    "example.org",
  ];
  for (const from of forged) {
    host.send(xml("message", { from, to: IM, id: `as ${from}` }));
    expect(readError(await host.hears((stanza) => stanza.attrs.id === `as ${from}`)).condition).toBe(
      "forbidden",
    );
  }
  host.send(xml("message", { from: `${shardLocalpart(own)}@${SILO}`, to: IM, id: "own" }));
  await agent.hears((stanza) => stanza.attrs.id === "own");
  expect(agent.heard).toEqual([]);
});

test("an agent cannot speak for another agent, nor the monitor claim a shard", async () => {
  const [agent, monitor] = await Promise.all([joins(IM), joins(MONITOR)]);
  agent.send(xml("message", { from: WEB, to: IM, id: "forged" }));
  expect(readError(await agent.hears((stanza) => stanza.attrs.id === "forged")).condition).toBe("forbidden");
  expect(readError(await step(monitor, "claim", freshShard(), 1)).condition).toBe("forbidden");
});

test("of two connections of one component the newer one stays", async () => {
  const older = await joins(H2);
  const shard = freshShard();
  await serves(older, shard, 1);
  const newer = await joins(H2);
  await eventually(() => expect(older.isOpen).toBe(false));
  await serves(newer, shard, 1);
});

test("what is sent to an avatar reaches the owner of its shard, by the same sum on both sides", async () => {
  const [host, agent] = await Promise.all([joins(H1), joins(IM)]);
  const localparts = [
    "alice",
    "rss.0a1b2c",
    "mail.x-9",
    "bo-b",
    "_63",
    "_64",
    "_09",
    "_x",
    "日本",
    "a".repeat(1_000),
  ];
  for (const localpart of localparts) {
    const shard = shardOf(localpart);
    const epoch = (await shardState(shard)).epoch + 1;
    await serves(host, shard, epoch);
    agent.send(xml("message", { from: IM, to: `${localpart}@${SILO}`, id: `to ${localpart}` }));
    await host.hears((stanza) => stanza.attrs.id === `to ${localpart}`);
    expect((await step(host, "unclaim", shard, epoch)).attrs.type).toBe("result");
  }
});

test("localparts of any shape reach a shard, and nonsense in a claim is a bad request", async () => {
  const [host, agent] = await Promise.all([joins(H1), joins(IM)]);
  const localparts = ["_99", "_x", "_", "_007", "a".repeat(1_000), "日本", "_1_"];
  const answers = localparts.map((localpart) =>
    agent.ask(
      xml(
        "iq",
        { type: "get", from: IM, to: `${localpart}@${SILO}` },
        xml("call", { xmlns: "urn:tidings:bus:1" }),
      ),
    ),
  );
  for (const answer of await Promise.all(answers))
    expect(["wait", "cancel"]).toContain(readError(answer).type);
  for (const epoch of ["0", "-1", "x", "1e3", "9".repeat(40)]) {
    const claim = claimStanza("claim", H1, SILO, freshShard(), 1);
    const child = claim.getChild("claim");
    if (child) child.attrs.epoch = epoch;
    expect(readError(await host.ask(claim)).condition).toBe("bad-request");
    lastShard -= 1;
  }
  expect(readError(await step(host, "claim", 99, 1)).condition).toBe("bad-request");
});

async function counters(): Promise<Element> {
  const reader = connected.find(({ domain, isOpen }) => domain === WEB && isOpen) ?? (await joins(WEB));
  return await reader.ask(countersStanza(WEB, SILO));
}

/** What a host that starts would take first. */
async function awaitedShards(): Promise<Shard[]> {
  return [...readAwaited(await counters())];
}

async function shardState(
  shard: Shard,
): Promise<{ state: string; spooled: number; epoch: number; host: string }> {
  const json =
    (await counters()).getChild("counters", "urn:tidings:bus:1")?.getChildText("json", "urn:xmpp:json:0") ??
    "{}";
  return JSON.parse(json).shards[shard];
}
