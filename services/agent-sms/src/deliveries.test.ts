import { afterEach, beforeEach, expect, test } from "vitest";
import { dispatch, eventually, numbered, PHONE, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

async function setAnew(...options: Parameters<typeof setStage>) {
  await stage.strike();
  stage = await setStage(...options);
}

const posts = () => stage.provider.requests.filter((request) => request.startsWith("POST "));
const looks = () => stage.provider.requests.filter((request) => request.startsWith("GET "));

test("a delivery goes to the provider and is handed", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(stage.provider.texts()).toEqual([
    "Two rooms, quiet street\nRooms\nhttps://example.org/1\nReply 1a to ack",
  ]);
});

test("without a list of countries nothing is sent, and the report says why", async () => {
  await setAnew({ countries: [] });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["refused"]));
  expect(stage.lastDelivery()).toMatchObject({
    condition: "not-allowed",
    mayRetry: false,
    text: expect.stringMatching(/TIDINGS_SMS_COUNTRIES/),
  });
  expect(stage.provider.requests).toEqual([]);
});

test("a premium number of an allowed country is refused", async () => {
  await stage.dispatches(dispatch({ address: "+19005550100" }));
  await eventually(() =>
    expect(stage.lastDelivery()).toMatchObject({ text: expect.stringMatching(/premium/) }),
  );
  expect(stage.provider.requests).toEqual([]);
});

test("a repeated dispatch is not sent twice, and its last state is reported again", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(posts()).toHaveLength(1);
});

test("a dispatch that comes again while it is under way is not sent twice", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.passes = () => promise;
  await stage.dispatches(dispatch());
  await stage.dispatches(dispatch());
  resolve();
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(stage.provider.requests).toHaveLength(1);
});

test("what was sent is not sent again by the next life of the agent, which says what is known of it", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.beginsAnew();
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed", "handed"]));
  expect(posts()).toHaveLength(1);
});

test("a shard that does not know of this life of the agent has its dispatches left", async () => {
  stage.acknowledges = false;
  const anew = stage.beginsAnew();
  await stage.dispatches(dispatch());
  stage.acknowledges = true;
  await anew;
  expect(stage.provider.requests).toEqual([]);
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
});

test("a provider that is away is tried later and later, and then refused for good", async () => {
  await stage.provider.stop();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.conditions()).toEqual(["remote-server-not-found"]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: false, text: expect.stringMatching(/provider/) });
  expect(stage.waitedMs).toHaveLength(6);
  expect(stage.waitedMs.slice(1).toSorted((a, b) => a - b)).toEqual(stage.waitedMs.slice(1));
  await stage.provider.comesBack();
});

test("a provider that is busy or comes back has the message once", async () => {
  stage.provider.behaviours = [{ status: 503, code: 20_503 }, { status: 429, code: 20_429 }, "takes"];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(posts()).toHaveLength(3);
  expect(stage.provider.messages).toHaveLength(1);
});

test.each(["takesAndBreaks", "takesAndFails"] as const)(
  "when the answer is lost (%s) the message is found at the provider and not sent again",
  async (behaviour) => {
    stage.provider.behaviours = [behaviour, "takes"];
    await stage.dispatches(dispatch());
    await eventually(() => expect(stage.states()).toEqual(["handed"]));
    expect(posts()).toHaveLength(1);
    expect(looks()).toHaveLength(1);
  },
);

test("an answer that stays lost is refused for good and the message not sent again", async () => {
  stage.provider.behaviours = ["breaks", "takes"];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.conditions()).toEqual(["remote-server-timeout"]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: false });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["refused", "refused"]));
  expect(posts()).toHaveLength(1);
  expect(looks()).toHaveLength(6);
});

test("a callback tells of a message whose answer was lost", async () => {
  stage.provider.behaviours = ["takesAndBreaks", "takes"];
  stage.provider.isListing = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.passes = (ms) => (ms === 0 ? Promise.resolve() : promise);
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.provider.messages).toHaveLength(1));
  await stage.provider.tells(stage.provider.messages[0], "sent");
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  resolve();
  await stage.dispatches(numbered(2));
  await eventually(() => expect(stage.provider.requests.length).toBeGreaterThan(1));
  expect(looks()).toEqual([]);
});

test("what the agent may have sent as it died is looked for by the next life, and never sent again", async () => {
  stage.provider.behaviours = ["takesAndBreaks", "takes"];
  stage.passes = (ms) => (ms === 0 ? Promise.resolve() : new Promise(() => {}));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.waitedMs).toHaveLength(2));
  await stage.beginsAnew();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(posts()).toHaveLength(1);
});

test("what a stop keeps from being sent is to come again, and the next life sends it", async () => {
  stage.passes = () => new Promise(() => {});
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.waitedMs).toHaveLength(1));
  await stage.restarts();
  await eventually(() => expect(stage.lastDelivery()).toMatchObject({ state: "refused", mayRetry: true }));
  expect(stage.provider.requests).toEqual([]);
  stage.passes = async () => {};
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states().at(-1)).toBe("handed"));
});

test.each([
  [400, 21_211, "item-not-found"],
  [400, 21_408, "not-allowed"],
  [400, 21_999, "undefined-condition"],
  [401, 20_003, "not-authorized"],
])("the provider's refusal %d (%d) is final and says why", async (status, code, condition) => {
  stage.provider.behaviours = [{ status, code }];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.conditions()).toEqual([condition]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: false, text: expect.stringMatching(/\.$/) });
  expect(posts()).toHaveLength(1);
});

test("who has sent STOP to the provider is asked no more", async () => {
  stage.provider.behaviours = [{ status: 400, code: 21_610 }];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["refused"]));
  await stage.dispatches(numbered(2));
  await eventually(() => expect(stage.states()).toEqual(["refused", "refused"]));
  expect(stage.lastDelivery()).toMatchObject({ text: expect.stringMatching(/START/) });
  expect(posts()).toHaveLength(1);
});

test("a number gets so many messages and no more, and a refused one does not count", async () => {
  await setAnew({ limits: { perNumber: 2 } });
  await stage.dispatches(dispatch({ address: "+19005550100" }), numbered(1), numbered(2), numbered(3));
  await eventually(() =>
    expect(stage.states().toSorted()).toEqual(["handed", "handed", "refused", "refused"]),
  );
  expect(stage.conditions()).toContain("policy-violation");
  expect(posts()).toHaveLength(2);
});

test("numbers in a row count together", async () => {
  await setAnew({ limits: { perPrefix: 3 } });
  const rows = [0, 1, 2, 3, 4].map((n) => numbered(n, { address: `+1202555010${n}` }));
  await stage.dispatches(...rows, numbered(9, { address: "+12025560100" }));
  await eventually(() => expect(stage.states()).toHaveLength(6));
  expect(stage.provider.messages.map(({ to }) => to).toSorted()).toEqual([
    "+12025550100",
    "+12025550101",
    "+12025550102",
    "+12025560100",
  ]);
});

test("all messages of a day are counted in segments", async () => {
  await setAnew({ limits: { segmentsPerDay: 3 } });
  const long = numbered(1);
  const twoSegments = { ...long, notification: { ...long.notification, title: "room ".repeat(50) } };
  await stage.dispatches(twoSegments, numbered(2), numbered(3));
  await eventually(() => expect(stage.states()).toHaveLength(3));
  expect(posts()).toHaveLength(2);
});

test("too much in an hour stops all sending, also to others and in the next life", async () => {
  await setAnew({ limits: { segmentsPerHour: 2 } });
  await stage.dispatches(numbered(1), numbered(2), numbered(3));
  await eventually(() => expect(stage.states()).toHaveLength(3));
  await stage.beginsAnew();
  await stage.dispatches(numbered(4, { address: "+447400123456" }));
  const fourth = {
    notification: numbered(4).notification.id,
    text: expect.stringMatching(/operator has been told/),
  };
  await eventually(() => expect(stage.reports).toContainEqual(expect.objectContaining(fourth)));
  expect(posts()).toHaveLength(2);
});

test("above a thousand messages under way a dispatch is to come again", async () => {
  await setAnew({
    limits: { perNumber: 5_000, perPrefix: 5_000, segmentsPerDay: 5_000, segmentsPerHour: 5_000 },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.passes = () => promise;
  for (let n = 0; n < 1_020; n += 20)
    await stage.dispatches(...Array.from({ length: 20 }, (_, at) => numbered(n + at)));
  await eventually(() => expect(stage.conditions()).toHaveLength(20));
  expect(stage.lastDelivery()).toMatchObject({ condition: "resource-constraint", mayRetry: true });
  expect(stage.ledger.usage({ number: PHONE, prefix: "+1202555" }, Date.now()).ofNumber).toBe(1_000);
  stage.provider.behaviours = [{ status: 400, code: 21_999 }];
  resolve();
});
