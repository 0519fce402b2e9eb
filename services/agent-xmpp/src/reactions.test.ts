import { CallError, xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALICE, ALICES_AGENT, dispatch, eventually, type Stage, setStage, settled } from "./stage.ts";

const ID = dispatch().notification.id;
const PHONE = `${ALICE}/phone`;
let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
  stage.answers.answerMessage = () => ({ count: 1, title: "Two rooms", sourceTitle: "Rooms", zone: "UTC" });
});
afterEach(() => stage.strike());

const reacts = (emojis: string[], { id = ID, from = PHONE, stanza = crypto.randomUUID() as string } = {}) =>
  stage.sends(
    xml(
      "message",
      { type: "chat", from, to: ALICES_AGENT, id: stanza },
      xml(
        "reactions",
        { xmlns: "urn:xmpp:reactions:0", id },
        ...emojis.map((one) => xml("reaction", {}, one)),
      ),
    ),
  );
const deeds = () =>
  stage.reports.flatMap((report) => (report.kind === "delivery" && report.did !== undefined ? [report] : []));
const named = (name: string) => stage.calls.filter((call) => call.name === name);
const errors = () => stage.heard.filter(({ attrs }) => attrs.type === "error");

async function isSent(): Promise<void> {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
}

test.each([
  ["✅", { name: "ack" }],
  ["👍", { name: "ack" }],
  ["💤", { name: "snooze", forMs: 3_600_000 }],
  ["✅\ufe0f", { name: "ack" }],
])("%s of a notification is reported as what the user did", async (emoji, deed) => {
  await isSent();
  await reacts([emoji]);
  await eventually(() => expect(deeds()).toHaveLength(1));
  const about = { user: "alice", notification: ID, destination: "d1", attempt: 1, state: "acted" };
  expect(deeds()[0]).toMatchObject({ ...about, did: { deed } });
});

test("a reaction that comes twice is one deed, another one is another", async () => {
  await isSent();
  for (const stanza of ["r1", "r1", "r2"]) await reacts(["✅"], { stanza });
  await eventually(() => expect(deeds()).toHaveLength(3));
  const [first, second, third] = deeds().map(({ did }) => did?.id);
  expect(first).toBe(second);
  expect(first).not.toBe(third);
});

test("a reaction to what an earlier life of the agent sent is for the avatar to judge", async () => {
  await reacts(["✅"], { id: `${ID}.2` });
  await eventually(() => expect(named("answerMessage")).toHaveLength(1));
  expect(named("answerMessage")[0]).toMatchObject({
    args: { message: `${ID}.2`, deed: { name: "ack" } },
    authority: { jid: ALICE },
    op: expect.stringContaining("im."),
  });
  stage.answers.answerMessage = () => {
    throw new CallError("cancel", "item-not-found", "That is no notification of yours.");
  };
  await reacts(["✅"], { id: "of bob" });
  await eventually(() => expect(errors()).toHaveLength(1));
  expect(errors()[0]?.getChild("error")?.getChildText("text")).toBe("That is no notification of yours.");
  expect(deeds()).toEqual([]);
});

test("a reaction that means nothing here, or several at once, is refused with those that do, and does nothing", async () => {
  await isSent();
  await reacts(["🐢"]);
  await reacts(["✅", "💤"]);
  await reacts(["constructor"]);
  await eventually(() => expect(errors()).toHaveLength(3));
  for (const error of errors()) {
    expect(error.getChild("error")?.getChild("not-acceptable")).toBeDefined();
    expect(error.getChild("error")?.getChildText("text")).toContain("✅");
  }
  expect([deeds(), named("answerMessage")]).toEqual([[], []]);
});

test("a reaction taken back undoes nothing, and that is said", async () => {
  await isSent();
  await reacts([]);
  await eventually(() => expect(stage.textsTo(PHONE)).toEqual([expect.stringContaining("changes nothing")]));
  expect(deeds()).toEqual([]);
});

test("the source is muted by the avatar, and the user reads for how long", async () => {
  await isSent();
  await reacts(["🔕"]);
  await eventually(() =>
    expect(stage.textsTo(PHONE)).toEqual([expect.stringMatching(/^Muted until .*Rooms/)]),
  );
  expect(named("answerMessage")[0]).toMatchObject({ args: { message: ID, deed: { name: "mute" } } });
});

test("a stranger's reaction does nothing and is not answered", async () => {
  await isSent();
  for (const emojis of [["✅"], ["🐢"], []]) await reacts(emojis, { from: "mallory@elsewhere.test/x" });
  await settled(stage);
  expect(stage.heard.filter(({ name, attrs }) => name === "message" && attrs.to !== ALICE)).toEqual([]);
  expect([deeds(), named("answerMessage")]).toEqual([[], []]);
});

test("a reaction that nobody can see to now says so, so that the client takes it back", async () => {
  stage.answers.answerMessage = () => ({ nonsense: true });
  await reacts(["✅"]);
  await eventually(() => expect(errors()[0]?.getChild("error")?.attrs.type).toBe("wait"));
});

test("what a server kept for hours acknowledges, but puts nothing off", async () => {
  await isSent();
  const late = (emoji: string) =>
    xml(
      "message",
      { type: "chat", from: PHONE, to: ALICES_AGENT, id: emoji },
      xml("reactions", { xmlns: "urn:xmpp:reactions:0", id: ID }, xml("reaction", {}, emoji)),
      xml("delay", { xmlns: "urn:xmpp:delay", stamp: new Date(Date.now() - 7_200_000).toISOString() }),
    );
  await stage.sends(late("💤"));
  await stage.sends(late("✅"));
  await eventually(() => expect(deeds()).toMatchObject([{ did: { deed: { name: "ack" } } }]));
});

test("who reacts too much is told once to wait", async () => {
  await isSent();
  for (let n = 0; n < 65; n++) await reacts(["✅"]);
  await eventually(() => expect(deeds()).toHaveLength(60));
  await settled(stage);
  expect(errors().map((error) => error.getChild("error")?.attrs.type)).toEqual(["wait"]);
});
