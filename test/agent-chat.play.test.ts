/** Talking with the agent: the commands, and what those hear who may not give any. */
import { afterEach, expect, test } from "vitest";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

test("help names every command, and what the agent does not know gets a hint", async () => {
  const alice = await theatre.user("alice");
  await alice.comesOnline();
  const help = await alice.asks("help");
  for (const command of ["add", "list", "remove", "pause", "resume"]) expect(help).toContain(command);
  expect(await alice.asks("what is the meaning of life")).toContain('"help"');
});

test("add, list and remove keep the subscriptions, and news come in between", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("Rooms by the river")]);
  feed.publishes("An old room");
  await alice.comesOnline();
  expect(await alice.asks("list")).toContain("You follow nothing yet");
  const added = await alice.asks(`add ${feed.url}`);
  expect(added).toContain("You now follow Rooms by the river");
  expect(added).toContain("An old room");
  expect(await alice.asks(feed.url)).toContain("You already follow Rooms by the river");
  expect(await alice.asks("list")).toBe("1. Rooms by the river");

  feed.publishes("A new room");
  await alice.hears("A new room");
  expect(await alice.asks("remove 2")).toContain("There is no number 2");
  expect(await alice.asks("remove 1")).toContain("You no longer follow Rooms by the river");
  expect(await alice.asks("list")).toContain("You follow nothing yet");
  expect(wellDone(await alice.rest.get("/v1/subscriptions")).items).toEqual([]);
});

test("add says in a sentence why an address cannot be followed", async () => {
  const alice = await theatre.user("alice");
  await alice.comesOnline();
  expect(await alice.asks("add http://10.255.255.1/")).toContain("private network");
  expect(await alice.asks("add")).toContain("Send: add");
});

test("pause holds what comes, and resume lets it go", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await Promise.all([alice.comesOnline(), alice.subscribes(feed)]);
  expect(await alice.asks("pause 2h")).toContain("Paused until");
  feed.publishes("A room at night");
  const held = await alice.hasInHistory("A room at night", "held");
  expect(held.deliveries[0].reason).toContain("paused");
  expect(alice.client.timesHeard("A room at night")).toBe(0);
  expect(await alice.asks("resume")).toContain("You are back");
  expect((await alice.hears("A room at night")).delayStamp).not.toBeNull();
});

test("the same message twice is one command: what it asked for is done once", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await alice.comesOnline();
  await alice.subscribes(feed);
  const id = await alice.client.says(alice.agent, "remove 1");
  await alice.hears("You no longer follow");
  await alice.subscribes(feed);
  await alice.client.says(alice.agent, "remove 1", id);
  await alice.asks("list");
  expect(await alice.asks("list")).toBe("1. rooms");
});

test("a stranger gets one polite line, and nothing else", async () => {
  const [alice, bob, feed] = await Promise.all([
    theatre.user("alice"),
    theatre.user("bob"),
    theatre.feed("rooms"),
  ]);
  await Promise.all([alice.comesOnline(), bob.comesOnline(), alice.subscribes(feed)]);
  for (const text of ["hello", "list", `add ${feed.url}`, "remove 1", "help"])
    await bob.client.says(alice.agent, text);
  const { body } = await bob.hears("Hello!");
  expect(body).toContain("linked this address");
  feed.publishes("A room for alice alone");
  await alice.hears("A room for alice alone");
  expect(await alice.asks("list")).toBe("1. rooms");
  // Bob's own agent answers behind all that Alice's had to say to him.
  await bob.asks("help");
  expect(bob.client.heard.filter(({ from }) => from === alice.agent)).toHaveLength(1);
});

test("an address is linked only by its own code, and a wrong one is a sentence", async () => {
  const [alice, bob] = await Promise.all([theatre.user("alice"), theatre.user("bob")]);
  await bob.comesOnline();
  const { code } = wellDone(await alice.rest.post("/v1/destinations", { channel: "im", address: bob.jid }));
  const wrong = code === "000000" ? "000001" : "000000";
  await bob.client.says(alice.agent, "list");
  await bob.hears("send me the code");
  await bob.client.says(alice.agent, wrong);
  await bob.hears("wrong or out of date");
  await bob.client.says(alice.agent, code);
  await bob.hears("This address is linked");
  await bob.client.says(alice.agent, "list");
  await bob.hears("You follow nothing yet");
});

test("the code may be sent before the agent is a contact: presence follows as soon as it is one", async () => {
  const [alice, abroad] = await Promise.all([theatre.user("alice"), theatre.abroad("alice")]);
  const elsewhere = abroad.client("alice");
  await elsewhere.comesOnline();
  const { code } = wellDone(
    await alice.rest.post("/v1/destinations", { channel: "im", address: elsewhere.jid }),
  );
  await elsewhere.adds(alice.agent);
  await elsewhere.says(alice.agent, code);
  await elsewhere.hears("This address is linked");
  await alice.isSeenAt(elsewhere.jid);
});
