import { CallError, type SubscriptionView, xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  ALICE,
  ALICES_AGENT,
  AT,
  type CallMade,
  dispatch,
  eventually,
  type Stage,
  setStage,
  settled,
} from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

const subscription = (id: string, title: string, createdAt: number): SubscriptionView =>
  ({
    id,
    source: `https://${id}.test/`,
    title,
    state: "active",
    problem: null,
    priority: "default",
    filter: null,
    edits: false,
    createdAt,
  }) as SubscriptionView;
const named = (name: string) => stage.calls.filter((call) => call.name === name);
const replies = () => stage.textsTo(ALICE);

test("alice adds a feed by its address and is told its newest item", async () => {
  const item = {
    id: "0".repeat(32),
    title: "Flat to let",
    link: "https://a.test/1",
    summary: null,
    author: null,
    publishedAt: null,
  };
  stage.lookup = async (url) => ({ found: true, url: `${url}/feed`, title: "Rooms", items: [item] });
  stage.answers.subscribe = () => ({ created: true, subscription: subscription("a", "Rooms", 1) });
  await stage.says("https://a.test");
  await eventually(() =>
    expect(replies()).toEqual(["You now follow Rooms.\nNewest: Flat to let\nhttps://a.test/1"]),
  );
  expect(named("subscribe")[0]).toMatchObject({
    args: { url: "https://a.test/feed" },
    authority: { jid: ALICE },
  });
});

test("what is no feed is said in the ingestor's own words", async () => {
  stage.lookup = async () => ({
    found: false,
    failure: { reason: "notAFeed", sentence: "There is no feed on this page.", retryAfterMs: null },
  });
  await stage.says("add example.org");
  await eventually(() => expect(replies()).toEqual(["There is no feed on this page."]));
});

test("alice removes the second of her list", async () => {
  const items = [subscription("b", "Second", 2), subscription("a", "First", 1)];
  stage.answers.subscriptions = () => ({ items });
  stage.answers.unsubscribe = () => ({});
  await stage.says("list");
  await stage.says("remove 2");
  await eventually(() => expect(replies()).toEqual(["1. First\n2. Second", "You no longer follow Second."]));
  expect(named("unsubscribe")[0]?.args).toEqual({ id: "b" });
});

test("the same message twice carries the same operation id", async () => {
  stage.answers.resume = () => ({});
  await stage.says("resume", `${ALICE}/phone`, "m1");
  await stage.says("resume", `${ALICE}/phone`, "m1");
  await stage.says("resume", `${ALICE}/phone`, "m2");
  await eventually(() => expect(named("resume").length).toBeGreaterThanOrEqual(3));
  const [first, second, third] = named("resume").map(({ op }) => op);
  expect(first).toBe(second);
  expect(first).not.toBe(third);
});

test("a stranger gets one polite line a day and nothing else", async () => {
  await stage.says("remove 1", "mallory@elsewhere.test/x");
  await stage.says("list", "mallory@elsewhere.test/y");
  await settled(stage);
  await eventually(() => expect(stage.textsTo("mallory@elsewhere.test")).toHaveLength(1));
  await settled(stage);
  expect(stage.textsTo("mallory@elsewhere.test")).toHaveLength(1);
  expect(stage.calls.every(({ name }) => name === "addressStanding")).toBe(true);
});

test("an address is linked by sending its code, and by nothing else", async () => {
  let isLinked = false;
  stage.answers.addressStanding = () => ({ standing: isLinked ? "verified" : "unverified" });
  stage.answers.verifyAddress = ({ args }: CallMade) => {
    const { code, address } = args as { code: string; address: string };
    if (code !== "123456") throw new CallError("auth", "not-authorized", "This code is wrong.");
    isLinked = true;
    return {
      id: "d2",
      channel: "im",
      address,
      state: "verified",
      code: null,
      codeUntilAt: null,
      problem: null,
    };
  };
  const bob = "bob@elsewhere.test";
  for (const text of ["list", "999999", "123 456", "help"]) {
    const before = stage.textsTo(bob).length;
    await stage.says(text, `${bob}/x`);
    await eventually(() => expect(stage.textsTo(bob)).toHaveLength(before + 1));
  }
  const [asked, refused, linked, help] = stage.textsTo(bob);
  expect(asked).toContain("send me the code");
  expect(refused).toBe("This code is wrong.");
  expect(linked).toContain("linked");
  expect(help).toContain("add <address>");
  expect(named("subscriptions")).toEqual([]);
});

test.each(["bob", "_17", "rss.abc", "no.dots"])(
  "a message to %s, who is no user, comes back as item-not-found",
  async (name) => {
    await stage.says("hello", `${ALICE}/phone`, "x1", `${name}@${AT.im}`);
    await eventually(() => {
      const error = stage.heard.find(({ attrs }) => attrs.type === "error" && attrs.id === "x1");
      expect(error?.getChild("error")?.getChild("item-not-found")).toBeDefined();
    });
  },
);

test("an address that asks too much is told so once", async () => {
  for (let i = 0; i < 25; i++) await stage.says("help");
  await eventually(() => expect(replies()).toHaveLength(21));
  await settled(stage);
  expect(replies()).toHaveLength(21);
  expect(replies().at(-1)).toContain("wait a minute");
});

test("a message that a server kept for two hours is not obeyed", async () => {
  const stamp = new Date(Date.now() - 7_200_000).toISOString();
  const late = xml(
    "message",
    { type: "chat", from: `${ALICE}/p`, to: ALICES_AGENT },
    xml("body", {}, "help"),
  );
  late.append(xml("delay", { xmlns: "urn:xmpp:delay", stamp }));
  await stage.sends(late);
  await settled(stage);
  expect(replies()).toEqual([]);
});

test("errors, room talk and what comes from the bus's own domains are not answered", async () => {
  for (const type of ["error", "groupchat", "headline"]) {
    await stage.sends(
      xml("message", { type, from: `${ALICE}/p`, to: ALICES_AGENT }, xml("body", {}, "help")),
    );
  }
  await stage.silo.send(
    xml("message", { type: "chat", from: `alice@${AT.silo}`, to: ALICES_AGENT }, xml("body", {}, "help")),
  );
  await settled(stage);
  expect(stage.textsTo(ALICE)).toEqual([]);
});

const ID = dispatch().notification.id;
const trace = [
  { at: 1_000, destination: "d1", state: "held", what: "alice@d.test is offline" },
  { at: 61_000, destination: "d1", state: "dispatched", what: "alice@d.test is available" },
];
const told = {
  ...dispatch().notification,
  title: "Two rooms, quiet street",
  summary: "Third floor.",
  sourceTitle: "Rooms",
  state: "handed",
  deliveries: [{ destination: "d1", channel: "im", state: "handed", at: 1, reason: "" }],
  trace,
};

test("alice acts on the last message, and on another one by replying to it", async () => {
  stage.answers.answerMessage = () => ({ count: 1, title: "Two rooms", sourceTitle: "Rooms", zone: "UTC" });
  await stage.says("ack");
  await eventually(() => expect(replies()).toEqual(["Acknowledged: Two rooms"]));
  await stage.dispatches(dispatch({ wantedFrom: 2, attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.dispatches(
    dispatch({ corrects: `${ID}.2`, notification: { ...dispatch().notification, id: "c".repeat(32) } }),
  );
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await stage.says("snooze 30m");
  const replied = xml("message", { type: "chat", from: `${ALICE}/phone`, to: ALICES_AGENT, id: "r" });
  replied.append(xml("body", {}, "> Two rooms\nack"));
  replied.append(xml("reply", { xmlns: "urn:xmpp:reply:0", id: "other" }));
  await stage.sends(replied);
  await eventually(() => expect(named("answerMessage")).toHaveLength(3));
  expect(named("answerMessage").map(({ args }) => args)).toEqual([
    { message: null, deed: { name: "ack" } },
    { message: `${ID}.2`, deed: { name: "snooze", forMs: 1_800_000 } },
    { message: "other", deed: { name: "ack" } },
  ]);
  await eventually(() => expect(replies().at(-2)).toMatch(/^Comes again at .* UTC: Two rooms$/));
});

test("an acknowledgement of somebody else's notification is refused with a sentence", async () => {
  stage.answers.answerMessage = () => {
    throw new CallError("cancel", "item-not-found", "That is no notification of yours.");
  };
  await stage.says("ack");
  await eventually(() => expect(replies()).toEqual(["That is no notification of yours."]));
});

test("a quote that names no message counts for the last one alone", async () => {
  stage.answers.messageSent = () => ({ message: ID, count: 1, items: [told], zone: "UTC" });
  stage.answers.answerMessage = () => ({ count: 1, title: "Two rooms", sourceTitle: "Rooms", zone: "UTC" });
  await stage.says("> One room, north side\nack");
  await eventually(() => expect(replies()).toEqual([expect.stringContaining("cannot tell which")]));
  expect(named("answerMessage")).toEqual([]);
  await stage.says("> Two rooms, quiet street\nack");
  await eventually(() => expect(named("answerMessage")[0]?.args).toMatchObject({ message: ID }));
});

test("more is the text behind the title, why is what became of it", async () => {
  stage.answers.messageSent = () => ({ message: ID, count: 1, items: [told], zone: "Asia/Tokyo" });
  await stage.says("more");
  await stage.says("why");
  await eventually(() =>
    expect(replies()).toEqual([
      "Two rooms, quiet street\nThird floor.\nhttps://example.org/1",
      [
        "Two rooms, quiet street",
        "1970-01-01 09:00 GMT+9 im held: alice@d.test is offline",
        "1970-01-01 09:01 GMT+9 im dispatched: alice@d.test is available",
      ].join("\n"),
    ]),
  );
  stage.answers.messageSent = () => ({ message: ID, count: 12, items: [told, told], zone: "UTC" });
  await stage.says("more");
  await eventually(() => expect(replies().at(-1)).toContain("and 10 more"));
  stage.answers.messageSent = () => {
    const long = { ...told, trace: Array.from({ length: 9 }, () => trace[0]) };
    return { message: ID, count: 2, items: [long, long], zone: "UTC" };
  };
  await stage.says("why");
  await eventually(() => expect(replies().at(-1)?.match(/held/g)).toHaveLength(4));
});
