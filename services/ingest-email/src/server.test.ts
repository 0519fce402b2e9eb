import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { readAnswerUrl } from "@tidings/mail";
import {
  AnswerMail,
  FIRST_SILO,
  type MailSender,
  mailSource,
  Publication,
  parseAs,
  QUEUES,
  shardOf,
} from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { MAX_MESSAGE_BYTES, type ServerMeans, smtpServer } from "./server.ts";

const LOCAL = "abcdefghij234567klmn";
const INBOX = `${LOCAL}@in.d.test`;
const REPLY = "reply+1-1-0123456789abcdef0123@in.d.test";
const MAIL = "From: a@b.example\r\nSubject: Two rooms\r\nMessage-ID: <1@b.example>\r\n\r\nQuiet street.\r\n";

const STRANGER: MailSender = {
  address: "",
  isProven: false,
  checks: { spf: "none", dkim: "none", dmarc: "none", arc: "none" },
};

let broker: MemoryBroker;
let published: Publication[];
let answers: AnswerMail[];

beforeEach(async () => {
  [broker, published, answers] = [new MemoryBroker(), [], []];
  const queue = broker.connect();
  const shard = QUEUES.shard(FIRST_SILO, shardOf(mailSource(LOCAL)));
  await queue.consume(shard, 10, (delivery) => {
    published.push(parseAs(Publication, delivery.body, "publication"));
    delivery.ack();
  });
  await queue.consume(QUEUES.mail, 10, (delivery) => {
    answers.push(parseAs(AnswerMail, delivery.body, "mail"));
    delivery.ack();
  });
});

/** A server that knows one inbox; `changes` replace what it works with. */
async function server(changes: Partial<ServerMeans> = {}): Promise<number> {
  const smtp = smtpServer({
    mailDomain: "in.d.test",
    ownListDomain: "in.d.test",
    standings: { of: async (source) => (source === mailSource(LOCAL) ? "open" : "unknown") },
    senders: { check: async (_raw, address) => ({ ...STRANGER, address }) },
    perMinute: 100,
    tls: null,
    queue: broker.connect(),
    log: silentLog(),
    ...changes,
  });
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  onTestFinished(() => new Promise<void>((closed) => smtp.close(() => closed())));
  return (smtp.server.address() as AddressInfo).port;
}

/** Says each line when the one before was answered; what was answered. */
async function says(port: number, ...lines: string[]): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const said: string[] = [];
  let buffered = "";
  const next = async () => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(buffered)?.[0];
      if (whole !== undefined) {
        buffered = buffered.slice(whole.length);
        return whole.trim();
      }
      const [chunk] = await once(socket, "data");
      buffered += String(chunk);
    }
  };
  await next();
  for (const line of ["EHLO sender.example", ...lines]) {
    socket.write(`${line}\r\n`);
    said.push(await next());
  }
  socket.end();
  return said.slice(1);
}

const envelope = (...to: string[]) => [
  "MAIL FROM:<a@b.example>",
  ...to.map((one) => `RCPT TO:<${one}>`),
  "DATA",
];

test("mail for an inbox is on the queue of its source's shard before it is answered with 250", async () => {
  const said = await says(await server(), ...envelope(INBOX), `${MAIL}.`);
  expect(said.at(-1)).toMatch(/^250 2\.0\.0 /);
  await eventually(() =>
    expect(published).toMatchObject([
      { source: mailSource(LOCAL), items: [{ item: { title: "Two rooms" } }] },
    ]),
  );
});

test("a mail is told with who sent it; one of a proven sender can be answered, where their domain says", async () => {
  const proven: Partial<ServerMeans> = {
    senders: { check: async (_raw, address) => ({ ...STRANGER, address, isProven: true }) },
  };
  const [known, unknown] = [await server(proven), await server()];
  const replyTo = (address: string) => `Reply-To: ${address}\r\n${MAIL}.`;
  await says(known, ...envelope(INBOX), replyTo("desk@b.example"));
  await says(known, ...envelope(INBOX), replyTo("victim@c.example"));
  await says(known, ...envelope(INBOX), `Auto-Submitted: auto-generated\r\n${MAIL}.`);
  await says(unknown, ...envelope(INBOX), `${MAIL}.`);
  const told = await eventually(() => {
    const items = published.flatMap(({ items }) => items);
    expect(items).toHaveLength(4);
    return items;
  });
  expect(told.map(({ callback }) => callback && readAnswerUrl(callback)?.to)).toEqual([
    "desk@b.example",
    "a@b.example",
    null,
    null,
  ]);
  expect(readAnswerUrl(told[0]?.callback ?? "")).toMatchObject({
    from: INBOX,
    subject: "Re: Two rooms",
    inReplyTo: "<1@b.example>",
  });
  expect(told.map(({ item }) => item.options?.map(({ label }) => label))).toEqual([
    ["Reply"],
    ["Reply"],
    undefined,
    undefined,
  ]);
  expect(told.map(({ item }) => item.sender?.isProven)).toEqual([true, true, true, false]);
});

test("an answer goes to agent-email as it came, and may come with mail for an inbox", async () => {
  await says(await server(), ...envelope(REPLY, INBOX), `${MAIL}.`);
  await eventually(() => expect([answers.length, published.length]).toEqual([1, 1]));
  expect(answers[0]?.recipient).toBe(REPLY);
  expect(Buffer.from(answers[0]?.raw ?? "", "base64").toString()).toBe(MAIL);
});

test("an address that there is not is refused at once, and whoever guesses is slowed down", async () => {
  const port = await server();
  const guesses = Array.from({ length: 30 }, (_, at) => `RCPT TO:<guess${at}@in.d.test>`);
  const said = await says(
    port,
    "MAIL FROM:<a@b.example>",
    "RCPT TO:<alice@elsewhere.example>",
    ...guesses.slice(0, 29),
  );
  expect(said[1]).toMatch(/^550 5\.1\.1 .*nothing is relayed/);
  expect((await says(port, "MAIL FROM:<a@b.example>", ...guesses.slice(29))).at(-1)).toMatch(/^421 4\.7\.0/);
  expect(published).toEqual([]);
});

test("an inbox that was ended, or whose avatar does not answer, is told apart", async () => {
  const ended = await server({ standings: { of: async () => "ended" } });
  expect((await says(ended, "MAIL FROM:<a@b.example>", `RCPT TO:<${INBOX}>`)).at(-1)).toMatch(/^550 5\.2\.1/);
  const away = await server({
    standings: {
      of: async () => {
        throw new Error("away");
      },
    },
  });
  expect((await says(away, "MAIL FROM:<a@b.example>", `RCPT TO:<${INBOX}>`)).at(-1)).toMatch(/^451 4\.3\.0/);
});

test("when RabbitMQ does not take it, the sender keeps it", async () => {
  const full = new MemoryBroker({ maxLength: 0 });
  const said = await says(await server({ queue: full.connect() }), ...envelope(INBOX), `${MAIL}.`);
  expect(said.at(-1)).toMatch(/^451 4\.3\.0/);
});

test("a bare line end, a circle, and mail that is too large are refused with a reason (S23, S26, S27)", async () => {
  const port = await server();
  expect((await says(port, ...envelope(INBOX), `${MAIL}a\nb\r\n.`)).at(-1)).toMatch(/^550 5\.6\.11/);
  const circle = "Received: from a by b\r\n".repeat(51);
  expect((await says(port, ...envelope(INBOX), `${circle}${MAIL}.`)).at(-1)).toMatch(/^554 5\.4\.6/);
  const said = await says(port, `MAIL FROM:<a@b.example> SIZE=${MAX_MESSAGE_BYTES + 1}`);
  expect(said.at(-1)).toMatch(/^552 /);
  const large = `${"x".repeat(998)}\r\n`.repeat(MAX_MESSAGE_BYTES / 1_000 + 1_000);
  expect((await says(port, ...envelope(INBOX), `${MAIL}${large}.`)).at(-1)).toMatch(/^552 /);
  expect(published).toEqual([]);
});

test("what Tidings itself has sent is taken and dropped, or it would come for ever (S23)", async () => {
  const said = await says(await server(), ...envelope(INBOX), `List-Id: <rss-1.in.d.test>\r\n${MAIL}.`);
  expect(said.at(-1)).toMatch(/^250 /);
  expect(published).toEqual([]);
});

test("a sender may send so much in a minute, and is told when it is more", async () => {
  const port = await server({ perMinute: 1 });
  await says(port, ...envelope(INBOX), `${MAIL}.`);
  expect((await says(port, ...envelope(INBOX), `${MAIL}.`)).at(-1)).toMatch(/^421 4\.7\.0/);
});
