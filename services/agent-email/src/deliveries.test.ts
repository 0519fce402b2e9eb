import { afterEach, beforeEach, expect, test } from "vitest";
import { dispatch, eventually, MAILBOX, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

test("a delivery goes to the relay, in an envelope of its own, and is handed", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(stage.relay.taken).toHaveLength(1);
  expect(stage.relay.taken[0]).toMatchObject({
    from: expect.stringMatching(/^bounce\+1-1-[0-9a-f]{20}@in\.d\.test$/),
    to: [MAILBOX],
  });
  expect(stage.header("Subject")).toBe("Two rooms, quiet street");
});

test.each(["alice", "alice@example.org, bob@example.org", "a@b.test\r\nRCPT TO:<bob@b.test>"])(
  "%j is no address, and nothing is sent",
  async (address) => {
    await stage.dispatches(dispatch({ address }));
    await eventually(() => expect(stage.conditions()).toEqual(["jid-malformed"]));
    expect(stage.relay.tries).toBe(0);
  },
);

test("a repeated dispatch is not sent twice, and its last state is reported again", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(stage.relay.tries).toBe(1);
});

test("a higher attempt is sent again, with another id", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  const first = stage.header("Message-ID");
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(stage.header("Message-ID")).not.toBe(first);
});

test("an attempt that waits gives way to a higher one", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.relay.behaviours = [{ at: "rcpt", says: "451 4.7.1 come back later" }, "takes"];
  stage.passes = (ms) => (ms === 0 ? Promise.resolve() : promise);
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.waitedMs).toHaveLength(1));
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  resolve();
  await stage.dispatches(dispatch({ attempt: 2, address: "bob@example.org" }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(stage.relay.taken.map(({ to }) => to)).toEqual([[MAILBOX], ["bob@example.org"]]);
});

test("what was sent is not sent again by the next life of the agent, which says what is known of it", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.beginsAnew();
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed", "handed"]));
  expect(stage.relay.tries).toBe(1);
});

test.each([
  { at: "rcpt", says: "451 4.7.1 come back later" },
  { at: "data", says: "452 4.3.1 no room" },
  "breaksBefore",
  "breaksWithin",
] as const)("what the relay does not take for now (%j) it gets again, and has once", async (behaviour) => {
  stage.relay.behaviours = [behaviour, behaviour, "takes"];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(stage.relay.tries).toBe(3);
  expect(stage.relay.taken).toHaveLength(1);
  expect(stage.waitedMs).toHaveLength(2);
});

test.each(["takesAndBreaks", "takesAndIsSilent"] as const)(
  "when the answer is lost (%s) the message comes again, the same in every byte",
  async (behaviour) => {
    stage.relay.behaviours = [behaviour, "takes"];
    await stage.dispatches(dispatch());
    await eventually(() => expect(stage.states()).toEqual(["handed"]));
    expect(stage.relay.taken).toHaveLength(2);
    expect(stage.relay.taken[1]).toEqual(stage.relay.taken[0]);
  },
);

test.each([
  [{ at: "rcpt", says: "550 5.1.1 no such user" }, "item-not-found"],
  [{ at: "rcpt", says: "550 no" }, "item-not-found"],
  [{ at: "data", says: "554 5.7.1 looks like an advertisement" }, "policy-violation"],
] as const)("the relay's refusal %j is for good and says why", async (behaviour, condition) => {
  stage.relay.behaviours = [behaviour];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.conditions()).toEqual([condition]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: false, text: expect.stringMatching(/\.$/) });
  expect(stage.relay.tries).toBe(1);
});

test("a relay that is away is tried ten times, and then the avatar may order it again", async () => {
  await stage.relay.stop();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.conditions()).toEqual(["remote-server-timeout"]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: true });
  expect(stage.waitedMs).toHaveLength(9);
  await stage.relay.comesBack();
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["refused", "handed"]));
});

test("a relay that comes back while a message waits has it", async () => {
  await stage.relay.stop();
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.passes = (ms) => (ms === 0 ? Promise.resolve() : promise);
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.waitedMs).toHaveLength(1));
  await stage.relay.comesBack();
  resolve();
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
});

test("what a stop or a death leaves open is sent by the next life under the same id", async () => {
  stage.relay.behaviours = ["takesAndBreaks", "takes"];
  stage.passes = (ms) => (ms === 0 ? Promise.resolve() : new Promise(() => {}));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.waitedMs).toHaveLength(1));
  await stage.restarts();
  expect(stage.states()).toEqual([]);
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(stage.relay.taken[1]).toEqual(stage.relay.taken[0]);
});

test("many messages go out over few sessions", async () => {
  const sample = dispatch();
  const many = Array.from({ length: 40 }, (_, n) => ({
    ...sample,
    notification: { ...sample.notification, id: n.toString(16).padStart(32, "0") },
  }));
  await stage.dispatches(...many);
  await eventually(() => expect(stage.states()).toHaveLength(40));
  expect(new Set(stage.relay.taken.map(({ from }) => from)).size).toBe(40);
  expect(stage.relay.mostSessions).toBeLessThanOrEqual(5);
});
