/** Text messages and mail on real servers, whose provider and relay are the play's own. */
import { xml } from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playChatActs } from "./channels/chat-acts.ts";
import { Channels } from "./theatre/channels.ts";
import type { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";

const NUMBER = "+12025550100";
const MAILBOX = "alice@example.org";
const [HEIDIS_NUMBER, HEIDIS_MAILBOX] = ["+12025550105", "heidi@example.org"];

let channels: Channels;
/** Has had the beginning of a burst, a minute before its end. */
let erin: Person;
/** Whose messages the provider does not take. */
let heidi: Person;
beforeAll(async () => {
  channels = await Channels.open("channels.localhost");
});
afterAll(() => channels?.close());

const reasonAt = (
  item: { deliveries: { channel: string; state: string; reason: string }[] },
  channel: string,
) => item.deliveries.find((delivery) => delivery.channel === channel);
const triesForHeidi = () => channels.provider.requests.filter((request) => request.includes("cellar"));
const rulesOf = async (person: Person, rules: object) =>
  wellDone(await person.rest.ask("PUT", "/v1/rules", rules));

test("a burst of fifty: the first five come by themselves", async () => {
  erin = await channels.signsUp("erin");
  const feed = await channels.feedOf(erin, 3);
  await rulesOf(erin, { burst: { most: 5, within: "PT1M" } });
  await erin.comesOnline();
  for (let n = 1; n <= 50; n++) feed.publishes(`burst ${n}.`);
  await erin.hears("burst 5.");
});

test("a provider that is down for somebody is asked", async () => {
  heidi = await channels.signsUp("heidi");
  await channels.adds(heidi, "sms", HEIDIS_NUMBER);
  await channels.adds(heidi, "email", HEIDIS_MAILBOX);
  await rulesOf(heidi, { ladders: { urgent: [{ to: "sms" }, { to: "email" }] } });
  const feed = await channels.feedOf(heidi, 5);
  channels.provider.behavioursOf.set(HEIDIS_NUMBER, { status: 503, code: 20503 });
  feed.publishes("The cellar is wet");
  await eventually(() => expect(triesForHeidi()).not.toHaveLength(0));
});

test("an urgent item goes to the phone of somebody who is away, the phone confirms, and its answer acknowledges it", async () => {
  const alice = await channels.signsUp("alice");
  await channels.adds(alice, "sms", NUMBER);
  const feed = await channels.feedOf(alice, 5);
  feed.publishes("The house is on fire");
  const message = await eventually(() => {
    const found = channels.provider.messages.find(({ body }) => body.includes("on fire"));
    if (found === undefined) throw new Error("no text message has come");
    return found;
  });
  expect(message.to).toBe(NUMBER);
  await alice.hasInHistory("The house is on fire", "handed");
  await channels.provider.tells(message, "delivered");
  await alice.hasInHistory("The house is on fire", "received");
  await channels.provider.hears(channels.callbacks, NUMBER, "ack");
  await alice.hasInHistory("The house is on fire", "acked");
});

test("a mailbox is proven by its code and gets what the rules send there; one that does not exist says so and is used no more", async () => {
  const { relay } = channels;
  const bob = await channels.signsUp("bob");
  await channels.adds(bob, "email", MAILBOX);
  wellDone(await bob.rest.ask("PUT", "/v1/rules", { ladders: { default: [{ to: "email" }] } }));
  const feed = await channels.feedOf(bob, 3);
  feed.publishes("A room by mail");
  await eventually(() => expect(channels.subjectsTo(MAILBOX).at(-1)).toBe("A room by mail"));
  await bob.hasInHistory("A room by mail", "handed");

  relay.behaviours = [{ at: "rcpt", says: "550 5.1.1 no such mailbox" }];
  feed.publishes("A second room");
  await bob.hasInHistory("A second room", "refused");
  const { items } = wellDone(await bob.rest.get("/v1/destinations"));
  expect(items.find(({ channel }: { channel: string }) => channel === "email")).toMatchObject({
    state: "disabled",
    problem: expect.stringContaining("mailbox"),
  });
  relay.behaviours = ["takes"];
});

test("away, and no receipt in time: the phone; who is back before that is not called", async () => {
  const number = "+12025550102";
  const dora = await channels.signsUp("dora");
  await channels.adds(dora, "sms", number);
  const feed = await channels.feedOf(dora, 5);
  await rulesOf(dora, {
    ladders: { urgent: [{ to: "im" }, { unless: "received", within: "PT10S" }, { to: "sms" }] },
  });
  dora.client.confirmsNothing();
  await dora.comesOnline();
  await dora.client.send(xml("presence", {}, xml("show", {}, "away")));
  feed.publishes("The door is open");
  const { id } = await dora.hears("The door is open");
  feed.publishes("The window is open");
  await dora.hears("The window is open");
  const receipt = xml("received", { xmlns: "urn:xmpp:receipts", id });
  await dora.client.send(xml("message", { to: dora.agent, type: "chat" }, receipt));

  await eventually(() => expect(channels.textsTo(number).join()).toContain("The window is open"), {
    withinMs: 30_000,
  });
  const seen = await dora.hasInHistory("The door is open", "received");
  expect(reasonAt(seen, "sms")).toMatchObject({ state: "skipped" });
  expect(channels.textsTo(number).join()).not.toContain("The door is open");
  await dora.client.goesOffline();
});

/** A zone in which it is past midnight and before one. */
function zoneAfterMidnight(): string {
  const hour = new Date().getUTCHours();
  // West of Greenwich has a plus sign in these names.
  return hour <= 12 ? `Etc/GMT+${hour}` : `Etc/GMT-${24 - hour}`;
}

test("quiet hours over midnight hold what is not urgent, and end by the clock that is in force by then", async () => {
  const frank = await channels.signsUp("frank");
  const [feed, alarms] = [await channels.feedOf(frank, 3), await channels.feedOf(frank, 5)];
  const quietHours = [{ from: "22:00", to: "07:00" }];
  await rulesOf(frank, { zone: zoneAfterMidnight(), quietHours });
  await frank.comesOnline();
  feed.publishes("A room by night");
  const held = await frank.hasInHistory("A room by night", "held");
  expect(reasonAt(held, "im")?.reason).toMatch(/^quiet hours until /);
  alarms.publishes("A fire by night");
  await frank.hears("A fire by night");
  expect(frank.client.timesHeard("A room by night")).toBe(0);

  await rulesOf(frank, { zone: "Europe/Berlin", quietHours });
  const untilWhenAt = async (at: string) => {
    const asked = { notification: { title: "A room" }, presence: { show: "available" }, at };
    return wellDone(await frank.rest.post("/v1/rules/simulate", asked)).decisions[0].until;
  };
  expect(await untilWhenAt("2026-03-28T23:30:00+01:00")).toBe("2026-03-29T05:00:00.000Z");
  expect(await untilWhenAt("2026-10-24T23:30:00+02:00")).toBe("2026-10-25T06:00:00.000Z");
  await frank.client.goesOffline();
});

test("a phone that is none after all is used no more, and chat says so", async () => {
  const number = "+12025550104";
  const grace = await channels.signsUp("grace");
  await channels.adds(grace, "sms", number);
  await rulesOf(grace, { ladders: { urgent: [{ to: "sms" }] } });
  await grace.comesOnline();
  const feed = await channels.feedOf(grace, 5);
  feed.publishes("The roof is off");
  await grace.hasInHistory("The roof is off", "handed");
  const message = channels.provider.messages.findLast(({ to }) => to === number);
  await channels.provider.tells(message, "undelivered", "30005");
  await grace.hears(`Nothing is sent to ${number} any more: `);
  const { items } = wellDone(await grace.rest.get("/v1/destinations"));
  expect(items.find(({ channel }: { channel: string }) => channel === "sms").state).toBe("disabled");
  await grace.client.goesOffline();
});

playChatActs(() => channels);

test("a provider that stays down is tried six times, and then the next rung is used", async () => {
  await eventually(() => expect(channels.subjectsTo(HEIDIS_MAILBOX).at(-1)).toBe("The cellar is wet"), {
    withinMs: 60_000,
  });
  expect(triesForHeidi()).toHaveLength(6);
  const item = await heidi.hasInHistory("The cellar is wet", "handed");
  expect(reasonAt(item, "sms")).toMatchObject({ state: "refused" });
});

test("the rest of the burst comes as one digest", async () => {
  const digest = await erin.hears("45 notifications", { withinMs: 70_000 });
  expect(digest.body).toContain("burst 6.");
  await eventually(async () => {
    const items = await erin.hasHistoryOf(50);
    expect(items.map(({ state }) => state)).toEqual(Array.from({ length: 50 }, () => "received"));
  });
  expect(erin.client.heard.filter(({ isDelivery }) => isDelivery)).toHaveLength(6);
  await erin.client.goesOffline();
}, 90_000);
