/** Those who have no business here: foreign servers at the avatars, components that speak for others, forged reports. */
import { join } from "node:path";
import {
  addressesOf,
  callStanza,
  claimStanza,
  frameStanza,
  hostAddress,
  readError,
  reportsStanza,
  shardOf,
  xml,
} from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { RawComponent } from "./raw-component.ts";
import type { Person } from "./theatre/person.ts";
import { openTheatre } from "./theatre/theatre.ts";
import { Witness } from "./theatre/witness.ts";

const addresses = addressesOf(inject("domain"));
const SMS = `sms.${addresses.agents}`;
/** A host that the installation knows the password of, and that owns nothing. */
const SPARE_HOST = hostAddress(inject("domain"), "h15");

const theatre = openTheatre();
const components: RawComponent[] = [];
let witness: Witness;
beforeAll(async () => {
  witness = await Witness.arrives();
});
afterEach(async () => {
  await Promise.all(components.splice(0).map((component) => component.cut()));
  await theatre.clears();
});
afterAll(() => witness?.leaves());

async function joins(role: "agents" | "avatars", domain: string): Promise<RawComponent> {
  const component = await RawComponent.connect(
    inject("busUrls")[role],
    domain,
    join(inject("home"), "secrets", domain),
  );
  components.push(component);
  return component;
}

/** Nothing of Alice's has changed, and the system works. */
async function allIsWell(alice: Person): Promise<void> {
  const { pausedUntil, presence } = (await alice.rest.get("/v1/me")).body;
  expect({ pausedUntil, presence }).toEqual({ pausedUntil: null, presence: [] });
  expect((await alice.rest.get("/v1/subscriptions")).body.items).toEqual([]);
  expect(await alice.history()).toEqual([]);
  await witness.stillHears();
}

const avatarOf = ({ name }: Person) => `${name}@${addresses.silo}`;

/** A call that would pause Alice, in the name that the avatar would believe. */
function pauses(alice: Person, from: string) {
  const body = {
    name: "pause",
    op: "forged",
    authority: { jid: alice.jid },
    args: { untilAt: Date.now() + 3_600_000 },
  } as const;
  return callStanza(from, avatarOf(alice), "forged", body);
}

test("somebody on a foreign server cannot call an avatar", async () => {
  const [alice, abroad] = await Promise.all([theatre.user("alice"), theatre.abroad("mallory")]);
  const mallory = abroad.client("mallory");
  await mallory.comesOnline();
  const call = pauses(alice, mallory.jid);
  call.attrs.from = undefined;
  await expect(mallory.request(call)).rejects.toThrow();
  await allIsWell(alice);
});

test("somebody with an account here cannot call an avatar, not even their own", async () => {
  const alice = await theatre.user("alice");
  await alice.client.comesOnline();
  const call = pauses(alice, alice.jid);
  call.attrs.from = undefined;
  await expect(alice.client.request(call)).rejects.toThrow();
  await alice.goesOffline();
  await allIsWell(alice);
});

test("somebody on a foreign server who claims to be Alice to her agent is a stranger", async () => {
  const [alice, abroad] = await Promise.all([theatre.user("alice"), theatre.abroad("alice")]);
  const mallory = abroad.client("alice");
  await mallory.comesOnline();
  await mallory.says(alice.agent, "pause 2h");
  expect((await mallory.hears("Hello!")).body).toContain("linked this address");
  await allIsWell(alice);
});

test("an agent that speaks for another agent is refused, and nothing of it reaches an avatar", async () => {
  const [alice, sms] = await Promise.all([theatre.user("alice"), joins("agents", SMS)]);
  for (const forged of [addresses.im, addresses.web, `${alice.name}@${addresses.im}`]) {
    sms.send(pauses(alice, forged));
    const refusal = await sms.hears(({ attrs }) => attrs.id === "forged" && attrs.to === forged);
    expect(readError(refusal).condition).toBe("forbidden");
  }
  await allIsWell(alice);
});

test("an agent that speaks for another cluster loses its connection, and nothing of it reaches an avatar", async () => {
  const alice = await theatre.user("alice");
  for (const forged of [alice.jid, avatarOf(alice), "example.org"]) {
    const sms = await joins("agents", SMS);
    sms.send(pauses(alice, forged));
    await eventually(() => expect(sms.isOpen).toBe(false));
  }
  await allIsWell(alice);
});

test("an agent of another channel cannot act for a user of the IM agent", async () => {
  const [alice, sms] = await Promise.all([theatre.user("alice"), joins("agents", SMS)]);
  const answer = await sms.ask(pauses(alice, SMS));
  expect(answer.attrs.type).toBe("error");
  await allIsWell(alice);
});

test("presence of an IM address counts from the IM agent alone", async () => {
  const [alice, sms] = await Promise.all([theatre.user("alice"), joins("agents", SMS)]);
  const online = {
    kind: "presence",
    user: alice.name,
    address: alice.jid,
    resource: "forged",
    show: "chat",
  } as const;
  const reports = {
    agentEpoch: Date.now(),
    reports: [{ ...online, priority: 0, idleSinceAt: null, order: 1 }],
  };
  sms.send(reportsStanza(SMS, addresses.silo, shardOf(alice.name), "forged", reports));
  await sms.ask(pauses(alice, SMS));
  await allIsWell(alice);
});

test("a host that owns no shard can neither claim one with an old epoch nor speak for one", async () => {
  const [alice, host] = await Promise.all([theatre.user("alice"), joins("avatars", SPARE_HOST)]);
  const shard = shardOf(alice.name);
  const claim = await host.ask(claimStanza("claim", SPARE_HOST, addresses.silo, shard, 1));
  expect(readError(claim).condition).toBe("conflict");
  const event = { from: "rss.forged", to: [alice.name], event: { type: "unsubscribed" } };
  const header = { stream: (shard + 1) % 64, seq: 1, epoch: 99 };
  host.send(frameStanza(addresses.silo, shard, header, JSON.stringify({ events: [event] })));
  const refusal = await host.hears(({ name }) => name === "message");
  expect(readError(refusal).condition).toBe("forbidden");
  await allIsWell(alice);
});

test("what is no JSON, or JSON that does not fit, is refused, and the agent and the avatar go on", async () => {
  const [alice, sms] = await Promise.all([theatre.user("alice"), joins("agents", SMS)]);
  const bad = [
    "{",
    "[]",
    "null",
    '{"name":"pause"}',
    `{"name":"${"x".repeat(10_000)}","op":null,"authority":null,"args":{}}`,
    '{"name":"constructor","op":null,"authority":null,"args":{}}',
  ];
  for (const json of bad) {
    const call = xml("call", { xmlns: "urn:tidings:bus:1" }, xml("json", { xmlns: "urn:xmpp:json:0" }, json));
    const answer = await sms.ask(xml("iq", { type: "set", from: SMS, to: avatarOf(alice) }, call));
    expect(answer.attrs.type).toBe("error");
    sms.send(
      xml(
        "message",
        { from: SMS, to: addresses.im },
        xml("dispatches", { xmlns: "urn:tidings:bus:1" }, json),
      ),
    );
  }
  await allIsWell(alice);
});
