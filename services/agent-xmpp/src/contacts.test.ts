import { asksStanza, CallError, errorElement, shardOf, xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALICE, ALICES_AGENT, AT, eventually, type Stage, setStage, settled } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

const presence = (from: string, attrs: Record<string, string> = {}, ...children: ReturnType<typeof xml>[]) =>
  stage.sends(xml("presence", { from, to: ALICES_AGENT, ...attrs }, ...children));
const told = (address: string) =>
  stage.heard.flatMap(({ name, attrs }) =>
    name === "presence" && attrs.to === address ? [attrs.type ?? "available"] : [],
  );

test("the presence of a linked address reaches its user's shard", async () => {
  await presence(`${ALICE}/phone`, {}, xml("show", {}, "away"), xml("priority", {}, "-5"));
  await presence(`${ALICE}/phone`, { type: "unavailable" });
  await eventually(() =>
    expect(stage.presences().at(-1)).toMatchObject({ address: ALICE, resource: "phone", show: "offline" }),
  );
});

test("a negative priority and the time of idling are passed on as they are", async () => {
  const idle = xml("idle", { xmlns: "urn:xmpp:idle:1", since: "2026-01-01T00:00:00Z" });
  await presence(`${ALICE}/desk`, {}, xml("priority", {}, "-5"), idle);
  await eventually(() =>
    expect(stage.presences()).toMatchObject([
      { resource: "desk", show: "available", priority: -5, idleSinceAt: Date.UTC(2026, 0, 1) },
    ]),
  );
});

test("presence of a stranger is not passed on", async () => {
  await presence("mallory@elsewhere.test/x");
  await eventually(() => expect(stage.calls).toHaveLength(1));
  await settled(stage);
  expect(stage.presences()).toEqual([]);
});

test("an error in place of presence means that the address is gone", async () => {
  await presence(ALICE, { type: "error" });
  await eventually(() =>
    expect(stage.presences()).toMatchObject([{ address: ALICE, resource: "", show: "offline" }]),
  );
});

test("who subscribes to an existing user's agent is accepted and subscribed to", async () => {
  await presence("bob@elsewhere.test", { type: "subscribe" });
  await eventually(() =>
    expect(told("bob@elsewhere.test")).toEqual(["subscribed", "available", "subscribe"]),
  );
});

test("who subscribes to nobody's agent is told so", async () => {
  await stage.sends(xml("presence", { from: ALICE, to: `nobody@${AT.im}`, type: "subscribe" }));
  await eventually(() => expect(told(ALICE)).toEqual(["unsubscribed"]));
});

test("a probe is answered with the agent's own presence", async () => {
  await presence(`${ALICE}/phone`, { type: "probe" });
  await eventually(() => expect(told(`${ALICE}/phone`)).toEqual(["available"]));
});

test("an address that does not answer a probe is offline", async () => {
  await stage.silo.send(
    asksStanza({ siloDomain: AT.silo, shard: shardOf("alice"), epoch: 1 }, AT.im, [
      { user: "alice", addresses: [ALICE] },
    ]),
  );
  await eventually(() => expect(told(ALICE)).toEqual(["probe"]));
  await eventually(() =>
    expect(stage.presences()).toMatchObject([{ address: ALICE, resource: "", show: "offline" }]),
  );
});

test("an address that answers a probe is what it says", async () => {
  await stage.silo.send(
    asksStanza({ siloDomain: AT.silo, shard: shardOf("alice"), epoch: 1 }, AT.im, [
      { user: "alice", addresses: [ALICE] },
    ]),
  );
  await eventually(() => expect(told(ALICE)).toEqual(["probe"]));
  await presence(`${ALICE}/phone`);
  await eventually(() => expect(stage.presences()).toMatchObject([{ resource: "phone", show: "available" }]));
});

test("at its start and after a break the agent tells all shards that it is up", async () => {
  const ups = () => stage.reports.filter(({ kind }) => kind === "agentUp");
  await eventually(() => expect(ups()).toHaveLength(64));
  stage.bus.goOffline();
  stage.bus.goOnline();
  await eventually(() => expect(ups()).toHaveLength(128));
});

test("an agent whose clock went back begins a life that is later than the one the shards know", async () => {
  const ups = () => stage.reports.filter(({ kind }) => kind === "agentUp");
  await eventually(() => expect(ups()).toHaveLength(64));
  const known = Date.now() + 3_600_000;
  stage.agentEpoch = known;
  await presence(`${ALICE}/phone`);
  await eventually(() => expect(ups()).toHaveLength(65));
  await eventually(() => expect(stage.heardEpoch).toBeGreaterThan(known));
});

test("who could not be reached is asked again, and is then what they say", async () => {
  const notReached = errorElement(new CallError("wait", "remote-server-timeout", "no"));
  await presence(ALICE, { type: "error" }, notReached);
  await eventually(() => expect(told(ALICE)).toEqual(["probe"]));
  await presence(`${ALICE}/phone`);
  await eventually(() => expect(stage.presences().at(-1)).toMatchObject({ show: "available" }));
});

test("nobody is told anyone else's presence", async () => {
  await presence(`${ALICE}/phone`);
  await stage.sends(xml("presence", { from: "mallory@elsewhere.test/x", to: ALICES_AGENT, type: "probe" }));
  await eventually(() => expect(told("mallory@elsewhere.test/x")).toEqual(["available"]));
  const answer = stage.heard.find(({ attrs }) => attrs.to === "mallory@elsewhere.test/x");
  expect(answer?.attrs.from).toBe(ALICES_AGENT);
  expect(answer?.getChild("show")).toBeUndefined();
});
