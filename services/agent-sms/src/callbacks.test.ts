import { afterEach, beforeEach, expect, test } from "vitest";
import { ACCOUNT_SID, AUTH_TOKEN, signature } from "./provider-stage.ts";
import { dispatch, eventually, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

async function sent() {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  return stage.provider.messages.at(-1);
}

/** A callback with the given signature; resolves with its status. */
async function call(path: string, fields: Record<string, string>, signed: string | null, type?: string) {
  const headers = { "content-type": type ?? "application/x-www-form-urlencoded" };
  const response = await fetch(stage.callbackUrl + path, {
    method: "POST",
    headers: signed === null ? headers : { ...headers, "x-twilio-signature": signed },
    body: new URLSearchParams(fields).toString(),
  });
  return response.status;
}

test("what the provider says of a message goes on: taken, then on the phone", async () => {
  const message = await sent();
  for (const status of ["queued", "sent", "delivered", "sent"])
    expect(await stage.provider.tells(message, status)).toMatchObject({ status: 204 });
  await eventually(() => expect(stage.states()).toEqual(["handed", "received"]));
});

test("a message that was not delivered is refused for good, with the network's reason", async () => {
  await stage.provider.tells(await sent(), "undelivered", "30006");
  await eventually(() => expect(stage.states()).toEqual(["handed", "refused"]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry: false, text: expect.stringMatching(/landline/) });
});

test("of an earlier attempt only that the phone has it counts", async () => {
  const first = await sent();
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await stage.provider.tells(first, "failed", "30008");
  await stage.provider.tells(first, "delivered");
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed", "received"]));
});

test("news of a message that was never sent, and of a status that is not known, change nothing", async () => {
  const message = await sent();
  await stage.provider.tells(message, "partying");
  const url = String(message?.statusCallback).replace("delivery=1", "delivery=77");
  await stage.provider.tells(
    { ...(message as NonNullable<typeof message>), statusCallback: url },
    "delivered",
  );
  await stage.provider.tells(message, "delivered");
  await eventually(() => expect(stage.states()).toEqual(["handed", "received"]));
});

test("a forged callback is 403 and changes nothing", async () => {
  await sent();
  const path = "/sms/status?delivery=1&attempt=1";
  const fields = { AccountSid: ACCOUNT_SID, MessageSid: "SM1", MessageStatus: "delivered" };
  const url = stage.callbackUrl + path;
  const right = signature(url, fields, AUTH_TOKEN);
  expect(await call(path, fields, null)).toBe(403);
  expect(await call(path, fields, "")).toBe(403);
  expect(await call(path, fields, signature(url, fields, "another token"))).toBe(403);
  expect(await call(path, { ...fields, MessageStatus: "failed" }, right)).toBe(403);
  expect(await call("/sms/status?delivery=1&attempt=2", fields, right)).toBe(403);
  expect(await call("/sms/inbound", fields, right)).toBe(403);
  const others = { ...fields, AccountSid: `AC${"1".repeat(32)}` };
  expect(await call(path, others, signature(url, others, AUTH_TOKEN))).toBe(403);
  expect(stage.states()).toEqual(["handed"]);
  expect(await call(path, fields, right)).toBe(204);
});

test("an answer with a forged signature is not heard", async () => {
  await sent();
  const fields = { AccountSid: ACCOUNT_SID, MessageSid: "SM1", From: "+12025550100", Body: "STOP" };
  expect(await call("/sms/inbound", fields, "forged")).toBe(403);
  expect(stage.deeds()).toEqual([]);
});

test("a call that names no message, or by a name that no shard would take, is refused", async () => {
  await sent();
  for (const MessageSid of ["", "x".repeat(5_000), "a b"])
    expect(await stage.says("ack", undefined, { MessageSid })).toMatchObject({ status: 400 });
  expect(await stage.says("ack", undefined, { MessageSid: "SM9" })).toMatchObject({ status: 200 });
  await eventually(() => expect(stage.deeds()).toEqual([{ name: "ack" }]));
});

test("what is no form, or far too long, is refused without harm", async () => {
  const fields = { AccountSid: ACCOUNT_SID, Body: "x".repeat(40_000) };
  const url = `${stage.callbackUrl}/sms/inbound`;
  expect(await call("/sms/inbound", fields, signature(url, fields, AUTH_TOKEN))).toBe(413);
  expect(await call("/sms/inbound", {}, "x", "application/json")).toBe(415);
  expect((await fetch(`${stage.callbackUrl}/sms/status`)).status).toBeGreaterThanOrEqual(403);
});
