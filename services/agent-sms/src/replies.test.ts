import { CallError } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HELP, NOT_UNDERSTOOD, noSuchMessage } from "./replies.ts";
import { dispatch, eventually, numbered, PHONE, type Stage, setStage } from "./stage.ts";

const SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response/>';
const said = (text: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Response><Message>${text}</Message></Response>`;
let stage: Stage;

beforeEach(async () => {
  stage = await setStage();
  await stage.dispatches(numbered(1), numbered(2));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
});
afterEach(() => stage.strike());

/** Reports of what the user did, with the notification's number. */
const deeds = () =>
  stage.reports.flatMap((report) =>
    report.kind === "delivery" && report.did
      ? [[Number.parseInt(report.notification, 16), report.did.deed.name]]
      : [],
  );

test("an answer is about the last message, or about the one that it names", async () => {
  for (const text of ["ack", "1a", "snooze 1h", "1 more"])
    expect(await stage.says(text)).toEqual({ status: 200, body: SILENCE });
  await eventually(() =>
    expect(deeds()).toEqual([
      [2, "ack"],
      [1, "ack"],
      [2, "snooze"],
      [1, "more"],
    ]),
  );
  expect(stage.deeds()[2]).toEqual({ name: "snooze", forMs: 3_600_000 });
  expect(stage.lastDelivery()).toMatchObject({
    user: "alice",
    destination: "d1",
    state: "acted",
    attempt: 1,
  });
});

test("an answer that comes twice is taken once", async () => {
  await stage.says("ack", PHONE, { MessageSid: "SM7" });
  await stage.says("ack", PHONE, { MessageSid: "SM7" });
  await stage.says("more");
  await eventually(() =>
    expect(deeds()).toEqual([
      [2, "ack"],
      [2, "more"],
    ]),
  );
});

test("an answer is not lost when the agent dies before its shard has it", async () => {
  stage.acknowledges = false;
  await stage.says("ack");
  await eventually(() => expect(deeds()).toHaveLength(1));
  stage.acknowledges = true;
  stage.reports.length = 0;
  await stage.beginsAnew();
  await eventually(() => expect(deeds()).toEqual([[2, "ack"]]));
});

test("STOP ends all messages to the number, at the agent too, and START lets them come again", async () => {
  expect(await stage.says("Stop", PHONE, { OptOutType: "STOP" })).toEqual({ status: 200, body: SILENCE });
  await eventually(() => expect(deeds()).toEqual([[2, "stop"]]));
  await stage.dispatches(numbered(3));
  await eventually(() => expect(stage.conditions()).toEqual(["policy-violation"]));
  expect(stage.provider.messages).toHaveLength(2);
  await stage.says("START");
  await stage.dispatches(numbered(3, { attempt: 2 }));
  await eventually(() => expect(stage.provider.messages).toHaveLength(3));
});

test("HELP is answered, but not when the provider has done so", async () => {
  expect(await stage.says("help")).toEqual({ status: 200, body: said(HELP) });
  expect(await stage.says("help", PHONE, { OptOutType: "HELP" })).toEqual({ status: 200, body: SILENCE });
});

test("what is not understood, and a message that there is not, are answered with what to do", async () => {
  expect((await stage.says("what is this?")).body).toBe(said(NOT_UNDERSTOOD));
  expect((await stage.says("77a")).body).toBe(said(noSuchMessage(77)));
  await stage.says("ack");
  await eventually(() => expect(deeds()).toEqual([[2, "ack"]]));
});

test("a number gets three answers in an hour, and its acknowledgements count all the same", async () => {
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push((await stage.says("what?")).body);
  expect(answers).toEqual([
    said(NOT_UNDERSTOOD),
    said(NOT_UNDERSTOOD),
    said(NOT_UNDERSTOOD),
    SILENCE,
    SILENCE,
  ]);
  await stage.says("ack");
  await eventually(() => expect(deeds()).toHaveLength(1));
});

test("answers of ours are paid for and so are within the caps", async () => {
  await stage.strike();
  stage = await setStage({ limits: { perNumber: 2 } });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect((await stage.says("what?")).body).toBe(said(NOT_UNDERSTOOD));
  expect((await stage.says("what?")).body).toBe(SILENCE);
});

test("an answer is about what was sent, not about what was refused since", async () => {
  stage.provider.behaviours = [{ status: 400, code: 21_999 }];
  await stage.dispatches(numbered(3));
  await eventually(() => expect(stage.states().at(-1)).toBe("refused"));
  await stage.says("ack");
  await eventually(() => expect(deeds()).toEqual([[2, "ack"]]));
});

test("a number that nothing was sent to is not answered, and nobody is asked for it", async () => {
  expect(await stage.says("ack", "+12025550155")).toEqual({ status: 200, body: SILENCE });
  expect(await stage.says("STOP", "")).toEqual({ status: 200, body: SILENCE });
  expect(stage.calls).toEqual([]);
  expect(deeds()).toEqual([]);
});

test("a number that is not linked is not obeyed and not answered", async () => {
  await stage.dispatches(dispatch({ address: "+12025550101" }));
  await eventually(() => expect(stage.states()).toHaveLength(3));
  for (const text of ["ack", "STOP", "help", "what?"])
    expect(await stage.says(text, "+12025550101")).toEqual({ status: 200, body: SILENCE });
  await stage.says("ack");
  await eventually(() => expect(deeds()).toEqual([[2, "ack"]]));
});

test("while the avatar cannot be asked an answer is to come again", async () => {
  const { addressStanding } = stage.answers;
  stage.answers.addressStanding = () => {
    throw new CallError("cancel", "internal-server-error", "broken");
  };
  expect((await stage.says("ack")).status).toBe(503);
  stage.answers.addressStanding = addressStanding as NonNullable<typeof addressStanding>;
  await stage.says("ack");
  await eventually(() => expect(deeds()).toEqual([[2, "ack"]]));
});

test("a flood of answers from one number is dropped", async () => {
  for (let n = 0; n < 25; n++) await stage.says("ack");
  await eventually(() => expect(deeds()).toHaveLength(20));
});
