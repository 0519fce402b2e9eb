import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ProviderError, TwilioProvider } from "./provider.ts";
import { ACCOUNT_SID, AUTH_TOKEN, FROM, type ProviderStage, setProvider } from "./provider-stage.ts";

const TEXT = {
  to: "+12025550100",
  body: "Two rooms, quiet street\nhttps://example.org/?a=1&b=ä\nReply 12a to ack",
  statusCallback: "https://tidings.example/sms/status?delivery=7&attempt=1",
};
let stage: ProviderStage;
beforeEach(async () => {
  stage = await setProvider();
});
afterEach(() => stage.stop());

const provider = (changes = {}) =>
  new TwilioProvider({
    base: stage.base,
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    from: FROM,
    ...changes,
  });
const golden = (name: string) => `../golden/${name}.http`;

test("a message is asked for as the golden file has it", async () => {
  expect(await provider().send(TEXT)).toEqual({ kind: "taken", sid: stage.messages[0]?.sid });
  await expect(stage.requests.join("\n")).toMatchFileSnapshot(golden("send"));
});

test("without callbacks, and through a messaging service, as the golden file has it", async () => {
  const from = `MG${"0".repeat(32)}`;
  await provider({ from, base: `${stage.base}/` }).send({ ...TEXT, statusCallback: null });
  await expect(stage.requests.join("\n")).toMatchFileSnapshot(golden("send-by-service"));
});

test("a message is looked for as the golden file has it, by its text and its time", async () => {
  await provider().send(TEXT);
  const sentAt = Date.now();
  expect(await provider().find(TEXT, sentAt)).toBe(stage.messages[0]?.sid);
  await expect(stage.requests[1]).toMatchFileSnapshot(golden("find"));
  expect(await provider().find({ ...TEXT, body: "another" }, sentAt)).toBeNull();
  expect(await provider().find({ ...TEXT, to: "+12025550101" }, sentAt)).toBeNull();
  expect(await provider().find(TEXT, sentAt + 3_600_000)).toBeNull();
});

test.each([
  [{ status: 429, code: 20_429 }, "notTaken"],
  [{ status: 503, code: 20_503 }, "notTaken"],
  [{ status: 500, code: 20_500 }, "unknown"],
  [{ status: 502, code: 0 }, "unknown"],
  ["breaks", "unknown"],
  ["takesAndBreaks", "unknown"],
  [{ status: 400, code: 21_211 }, "refused"],
  [{ status: 403, code: 0 }, "refused"],
] as const)("what %j means: %s", async (behaviour, kind) => {
  stage.behaviours = [behaviour];
  expect(await provider().send(TEXT)).toMatchObject({ kind });
});

test("where nobody listens nothing was taken", async () => {
  expect(await provider({ base: "http://127.0.0.1:1" }).send(TEXT)).toMatchObject({ kind: "notTaken" });
  await expect(provider({ base: "http://127.0.0.1:1" }).find(TEXT, 0)).rejects.toThrow(ProviderError);
});

test("wrong credentials are the operator's to mend", async () => {
  const outcome = await provider({ authToken: "wrong" }).send(TEXT);
  expect(outcome).toMatchObject({ kind: "refused", isOurFault: true });
});

test("what goes wrong is told without the token, the number and the text", async () => {
  stage.behaviours = ["breaks"];
  const outcome = await provider().send(TEXT);
  const told = inspect(outcome, { depth: 10, showHidden: true });
  expect(told).toMatch(/ProviderError/);
  for (const secret of [TEXT.to, encodeURIComponent(TEXT.to), "Two rooms", "Basic ", AUTH_TOKEN])
    expect(told).not.toContain(secret);
});
