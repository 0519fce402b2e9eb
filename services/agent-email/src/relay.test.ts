import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { mailOf } from "./mail.ts";
import { SmtpRelay } from "./relay.ts";
import { type RelayStage, setRelay } from "./relay-stage.ts";
import { dispatch, MAILBOX, SENDER } from "./stage.ts";

const PASSWORD = "p@ss:word";
const MAIL = mailOf(dispatch(), MAILBOX, { id: 1, key: "k", attempt: 1, begunAt: 0 }, SENDER);
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function stageWith(...options: Parameters<typeof setRelay>): Promise<RelayStage> {
  const stage = await setRelay(...options);
  closers.push(() => stage.stop());
  return stage;
}

function relayAt(url: string): SmtpRelay {
  const relay = new SmtpRelay({ url, name: "d.test", silenceMs: 500 });
  closers.unshift(() => relay.close());
  return relay;
}

const withPassword = (url: string, password: string) =>
  url.replace("smtp://", `smtp://tidings:${encodeURIComponent(password)}@`);

test("user and password are those of the URL", async () => {
  const stage = await stageWith({ password: PASSWORD });
  expect(await relayAt(withPassword(stage.url, PASSWORD)).send(MAIL)).toEqual({ kind: "taken" });
});

test("wrong credentials are the operator's to mend", async () => {
  const stage = await stageWith({ password: PASSWORD });
  expect(await relayAt(withPassword(stage.url, "wrong")).send(MAIL)).toMatchObject({
    kind: "refused",
    refusal: { condition: "not-authorized", mayRetry: false },
  });
});

test("a password does not leave this machine without TLS", async () => {
  const stage = await stageWith({ password: PASSWORD, host: "127.0.0.2" });
  const outcome = await relayAt(withPassword(stage.url, PASSWORD)).send(MAIL);
  expect(outcome.kind).not.toBe("taken");
  expect(stage.tries).toBe(0);
});

test("where TLS is offered a certificate that nobody knows is not taken", async () => {
  const stage = await stageWith({ offersTls: true });
  expect(await relayAt(stage.url).send(MAIL)).toMatchObject({ kind: "notTaken" });
  expect(stage.tries).toBe(0);
});

test("who hangs up is called once for each try", async () => {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => void server.close());
  const relay = relayAt(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await relay.send(MAIL)).toMatchObject({ kind: "notTaken" });
  expect(calls).toBe(1);
});

test.each([
  [{ at: "rcpt", says: `450 4.2.1 ${MAILBOX} is busy` }, "notTaken"],
  [{ at: "data", says: `554 5.6.0 ${MAILBOX} wants no such mail` }, "refused"],
  ["breaksWithin", "notTaken"],
] as const)("what goes wrong (%j) is told without password, address and text", async (behaviour, kind) => {
  const stage = await stageWith({ password: PASSWORD });
  stage.behaviours = [behaviour];
  const outcome = await relayAt(withPassword(stage.url, PASSWORD)).send(MAIL);
  expect(outcome).toMatchObject({ kind });
  const told = inspect(outcome, { depth: 10, showHidden: true });
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), MAILBOX, "Two rooms"])
    expect(told).not.toContain(secret);
});
