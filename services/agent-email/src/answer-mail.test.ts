import { DeliveryLedger } from "@tidings/agent";
import { answerUrl } from "@tidings/mail";
import type { CallbackJob } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { mailAnswer } from "./answer-mail.ts";
import { SmtpRelay } from "./relay.ts";
import { type RelayStage, setRelay } from "./relay-stage.ts";

const INBOX = "abcdefghij234567klmn@in.d.test";
const URL = answerUrl({
  to: "alerts@flats.example",
  from: INBOX,
  subject: "Re: Two rooms",
  inReplyTo: "<1@flats.example>",
}) as string;
const job = (changes: Partial<CallbackJob> = {}, text: unknown = "I take it.\nWhen can I come?") => ({
  job: "j1",
  source: "mail.1",
  silo: "s1",
  answer: "a1:2",
  url: URL,
  headers: {},
  body: JSON.stringify({ data: { text } }),
  ...changes,
});

let relay: RelayStage;
let means: Parameters<typeof mailAnswer>[1];
beforeEach(async () => {
  relay = await setRelay();
  const ledger = new DeliveryLedger(":memory:");
  const smtp = new SmtpRelay({ url: relay.url, name: "in.d.test" });
  means = { relay: smtp, ledger, mailDomain: "in.d.test", log: silentLog() };
  onTestFinished(async () => {
    smtp.close();
    ledger.close();
    await relay.stop();
  });
});

test("an answer is in the thread of the mail, from the inbox, and goes once however often it is asked for", async () => {
  expect(await mailAnswer(job(), means)).toEqual({ kind: "taken" });
  expect(await mailAnswer(job({ job: "j2" }), means)).toEqual({ kind: "taken" });
  expect(relay.taken).toHaveLength(1);
  const [{ from, to, raw } = { from: "", to: [], raw: "" }] = relay.taken;
  expect([from, to]).toEqual([INBOX, ["alerts@flats.example"]]);
  for (const line of [
    `From: ${INBOX}`,
    "Subject: Re: Two rooms",
    "In-Reply-To: <1@flats.example>",
    "Message-ID: <a1_2@in.d.test>",
  ])
    expect(raw).toContain(`${line}\r\n`);
  expect(raw).toContain("I take it.\r\nWhen can I come?\r\n");
  expect(raw).not.toMatch(/^(auto-submitted|list-id):/im);
});

test("what the relay does not take for now is tried again, what it refuses is over", async () => {
  relay.behaviours = [
    { at: "rcpt", says: "451 4.3.0 later" },
    { at: "rcpt", says: "550 5.1.1 nobody" },
  ];
  expect(await mailAnswer(job(), means)).toMatchObject({ kind: "again" });
  expect(await mailAnswer(job(), means)).toMatchObject({
    kind: "refused",
    sentence: expect.stringContaining("mailbox"),
  });
});

test.each([
  ["no words", job({}, "  ")],
  ["no address of an answer", job({ url: "mailto:a@b.example" })],
  ["no JSON", job({ body: "{" })],
])("%s: refused, and nothing is sent", async (_name, wrong) => {
  expect(await mailAnswer(wrong, means)).toMatchObject({ kind: "refused" });
  expect(relay.taken).toEqual([]);
});
