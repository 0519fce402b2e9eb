import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dispatch, eventually, SENDER, type Stage, setStage } from "./stage.ts";

const HOUR_MS = 3_600_000;
let stage: Stage;
let bounceTo: string;
let replyTo: string;

beforeEach(async () => {
  stage = await setStage();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  bounceTo = stage.relay.taken[0]?.from ?? "";
  replyTo = stage.header("Reply-To") ?? "";
});
afterEach(async () => {
  vi.useRealTimers();
  await stage.strike();
});

const bounce = (name: string) => readFileSync(new URL(`../golden/incoming/${name}.eml`, import.meta.url));
const hears = (mail: Buffer | string, recipient: string) => stage.agent().heard(Buffer.from(mail), recipient);
const reply = (body: string, headers = "") =>
  `From: Alice <alice@example.org>\r\nTo: ${replyTo}\r\nSubject: Re: Two rooms\r\n${headers}\r\n${body}\r\n`;
/** Resolves when all that was reported before it was made has arrived. */
const settled = async () => {
  await hears(reply("help", `Message-ID: <${Math.random()}@x>\r\n`), replyTo);
  await eventually(() => expect(stage.deeds().at(-1)).toEqual({ name: "help" }));
};

test.each([
  ["postfix-unknown-user", "item-not-found", false],
  ["postfix-expired", "remote-server-not-found", true],
  ["exchange-full", "resource-constraint", false],
])("a bounce (%s) tells the shard that the message was refused", async (name, condition, mayRetry) => {
  await hears(bounce(name), bounceTo);
  await eventually(() => expect(stage.conditions()).toEqual([condition]));
  expect(stage.lastDelivery()).toMatchObject({ mayRetry, text: expect.stringMatching(/\.$/) });
});

test.each(["postfix-delayed", "vacation"])("what came back and is no failure (%s) is left", async (name) => {
  await hears(bounce(name), bounceTo);
  await settled();
  expect(stage.conditions()).toEqual([]);
});

test("a mail system that gives up after six days is still heard, and nothing is sent again meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6 * 24 * HOUR_MS });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await hears(bounce("postfix-expired"), bounceTo);
  await eventually(() => expect(stage.conditions()).toEqual(["remote-server-not-found"]));
  expect(stage.relay.tries).toBe(1);
});

test("a bounce of an earlier attempt says nothing of the present one", async () => {
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  await hears(bounce("postfix-unknown-user"), bounceTo);
  await settled();
  expect(stage.conditions()).toEqual([]);
});

test.each([
  ["ack", { name: "ack" }],
  [
    "Snooze 2h\r\n\r\nOn Wed, 25 Nov 2026 at 07:12, Tidings wrote:\r\n> Reply with ack",
    { name: "snooze", forMs: 2 * HOUR_MS },
  ],
  ["more", { name: "more" }],
  ["STOP", { name: "stop" }],
])("the reply %j is reported as a deed, once", async (body, deed) => {
  await hears(reply(body, "Message-ID: <1@example.org>\r\n"), replyTo.toUpperCase());
  await hears(reply(body, "Received: by another way\r\nMessage-ID: <1@example.org>\r\n"), replyTo);
  await settled();
  expect(stage.deeds()).toEqual([deed, { name: "help" }]);
  expect(stage.reports.find((said) => said.kind === "delivery" && said.did)).toMatchObject({
    state: "acted",
    user: "alice",
    attempt: 1,
  });
});

test("a reply in HTML alone is read too", async () => {
  await hears(
    reply("<html><body><p>ack</p><blockquote>stop</blockquote>", "Content-Type: text/html\r\n"),
    replyTo,
  );
  await eventually(() => expect(stage.deeds()).toEqual([{ name: "ack" }]));
});

test("what a mail program writes to unsubscribe is understood", async () => {
  const address = /<mailto:([^?>]+)\?subject=stop>/.exec(stage.header("List-Unsubscribe") ?? "")?.[1] ?? "";
  await hears("From: alice@example.org\r\nSubject: stop\r\n\r\n", address);
  await eventually(() => expect(stage.deeds()).toEqual([{ name: "stop" }]));
});

test.each([
  ["Auto-Submitted: auto-replied\r\n", "stop"],
  ["Precedence: bulk\r\n", "stop"],
  ["Return-Path: <>\r\n", "stop"],
  ["List-Id: <list.example.org>\r\n", "stop"],
  ["", "Stop sending me this, please"],
  ["", "12a"],
  ["", "> ack"],
])("a reply with %j that says %j is left", async (headers, body) => {
  await hears(reply(body, headers), replyTo);
  await settled();
  expect(stage.deeds()).toEqual([{ name: "help" }]);
});

test.each([
  ["a forged token", () => replyTo.replace(/.@/, "_@")],
  ["a bounce's token", () => bounceTo.replace("bounce", "reply")],
  ["no token", () => "reply@in.d.test"],
  ["another domain", () => replyTo.replace("in.d.test", "elsewhere.test")],
])("mail to %s is left", async (_what, recipient) => {
  await hears(reply("stop"), recipient());
  await settled();
  expect(stage.deeds()).toEqual([{ name: "help" }]);
});

test("a reply is left when the address is no longer the user's", async () => {
  stage.answers.addressStanding = () => ({ standing: "stranger" });
  await hears(reply("stop"), replyTo);
  expect(stage.calls.map(({ name }) => name)).toEqual(["addressStanding"]);
  expect(stage.deeds()).toEqual([]);
});

test("when the avatar cannot be asked, nothing is done and the mail may come again", async () => {
  const answers = stage.answers.addressStanding;
  delete stage.answers.addressStanding;
  await expect(hears(reply("ack"), replyTo)).rejects.toThrow();
  if (answers !== undefined) stage.answers.addressStanding = answers;
  await hears(reply("ack"), replyTo);
  await eventually(() => expect(stage.deeds()).toEqual([{ name: "ack" }]));
});

test("one click stops the mail, once; a token that is not ours stops nothing", async () => {
  const token = /unsubscribe\/([^>]+)>/.exec(stage.header("List-Unsubscribe") ?? "")?.[1] ?? "";
  expect(stage.agent().unsubscribed(token)).toBe(true);
  expect(stage.agent().unsubscribed(token)).toBe(true);
  expect(
    stage.agent().unsubscribed(SENDER.tokens.token("unsubscribe", { id: 1, key: "x", attempt: 1 })),
  ).toBe(false);
  await settled();
  expect(stage.deeds()).toEqual([{ name: "stop" }, { name: "help" }]);
});

test.each([
  ["nothing", ""],
  ["bytes", Buffer.from([0, 255, 254, 13, 10, 13, 10, 200])],
  [
    "deep parts",
    `Content-Type: multipart/mixed; boundary=a\r\n\r\n${"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n".repeat(500)}`,
  ],
  ["much HTML", `Content-Type: text/html\r\n\r\n${"<div>".repeat(200_000)}`],
])("mail that is %s does no harm", async (_what, mail) => {
  await hears(mail as string, replyTo);
  await settled();
  expect(stage.deeds()).toEqual([{ name: "help" }]);
});
