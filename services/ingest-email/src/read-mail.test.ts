import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check, Item, isSendable } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { itemFor, readMail } from "./read-mail.ts";

const NOW_AT = Date.UTC(2026, 10, 25, 12);
const context = { ownListDomain: "in.d.test", nowAt: NOW_AT };

const mail = (headers: Record<string, string>, body: string) =>
  Buffer.from(
    [
      ...Object.entries({
        From: "Flats <alerts@flats.example>",
        To: "x@in.d.test",
        Subject: "Two rooms",
        Date: "Wed, 25 Nov 2026 07:12:00 +0000",
        "Message-ID": "<1@flats.example>",
        ...headers,
      }).map(([name, value]) => `${name}: ${value}`),
      "",
      ...body.split("\n"),
    ].join("\r\n"),
  );
const read = (headers: Record<string, string>, body: string) => readMail(mail(headers, body), context);

test("subject, text, first link, sender and date are what is told", async () => {
  const { item, isOwn, hops } = await read(
    { Subject: "=?UTF-8?Q?Zwei_R=C3=A4ume?=", Received: "from a by b; Wed, 25 Nov 2026 07:12:01 +0000" },
    "Quiet street.\n\nhttps://flats.example/1?a=1.\nhttps://flats.example/unsubscribe",
  );
  expect(item).toEqual({
    title: "Zwei Räume",
    summary: "Quiet street.\n\nhttps://flats.example/1?a=1.\nhttps://flats.example/unsubscribe",
    link: "https://flats.example/1?a=1",
    author: "Flats",
    publishedAt: Date.UTC(2026, 10, 25, 7, 12),
  });
  expect([isOwn, hops]).toEqual([false, 1]);
});

test("of HTML alone the text and the link are read, and what is attached is named", async () => {
  const html = [
    '--b\nContent-Type: text/html; charset=utf-8\n\n<h1>Hello</h1><p>Two <b>rooms</b></p><a href="https://f.example/?a=1&amp;b=2">x</a>',
    '--b\nContent-Type: application/pdf; name="plan.pdf"\nContent-Disposition: attachment; filename="plan.pdf"\n\nJVBERi0=',
    "--b--",
  ].join("\n");
  const { item } = await read({ "Content-Type": 'multipart/mixed; boundary="b"' }, html);
  expect(item.link).toBe("https://f.example/?a=1&b=2");
  expect(item.summary).toMatch(/^Hello\n+Two rooms/);
  expect(item.summary).toMatch(/Attached: plan\.pdf$/);
  expect(item.summary).not.toContain("<");
});

test("the same mail has the same id in one inbox, another in another, and without a Message-ID too", async () => {
  const one = await read({}, "a");
  const two = await read({ Received: "from c by d" }, "a");
  expect(itemFor("mail.1", one).id).toBe(itemFor("mail.1", two).id);
  expect(itemFor("mail.1", one).id).not.toBe(itemFor("mail.2", one).id);
  const bare = await read({ "Message-ID": "" }, "a");
  expect(itemFor("mail.1", bare).id).toBe(itemFor("mail.1", await read({ "Message-ID": "" }, "a")).id);
});

test("a mailbox that asks whether it may forward is shown with its code and link, and matters", async () => {
  const { item } = await read(
    {
      From: "Gmail Team <forwarding-noreply@google.com>",
      Subject: "(#123456789) Gmail Forwarding Confirmation - Receive Mail from bob@gmail.com",
    },
    "bob@gmail.com has requested to automatically forward mail.\nConfirmation code: 123456789\n\nhttps://mail-settings.google.com/mail/vf-abc-def\n\nhttps://support.google.com/",
  );
  expect(item).toMatchObject({
    title: "Confirm that mail may be forwarded here, code 123456789",
    link: "https://mail-settings.google.com/mail/vf-abc-def",
    priority: "high",
  });
});

test("what Tidings itself has sent is known, a list of somebody else's is not ours", async () => {
  expect((await read({ "List-Id": "<rss-1.in.d.test>" }, "a")).isOwn).toBe(true);
  expect((await read({ "List-Id": "<rss-1.in.d.test.example>" }, "a")).isOwn).toBe(false);
});

test("a date of next year, or none, is now", async () => {
  expect((await read({ Date: "Wed, 25 Nov 2027 07:12:00 +0000" }, "a")).item.publishedAt).toBe(NOW_AT);
  const { publishedAt } = (await readMail(mail({ Date: "soon" }, "a"), { ...context, nowAt: Date.now() }))
    .item;
  expect(Math.abs((publishedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("without a subject the text says what it is about", async () => {
  expect((await read({ Subject: "" }, "\nDisk full\nnow")).item.title).toBe("Disk full");
  expect((await read({ Subject: "\u0007" }, "")).item.title).toBe("(mail without a subject)");
});

/** Whatever was read of `raw` can be told, or it was refused as unreadable. */
async function isTold(raw: Buffer): Promise<void> {
  const beganMs = performance.now();
  const parsed = await readMail(raw, context).catch((error: unknown) => {
    expect(error).toBeInstanceOf(Error);
    return null;
  });
  expect(performance.now() - beganMs).toBeLessThan(2_000);
  if (parsed === null) return;
  const item = check(Item, itemFor("mail.1", parsed), "item");
  for (const text of [item.title, item.summary ?? "", item.link ?? "", item.author ?? ""])
    expect(isSendable(text)).toBe(true);
}

test("whatever comes is read, or refused", async () => {
  const header = fc.constantFrom("Subject", "From", "Content-Type", "Date", "Message-ID", "List-Id");
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("=?utf-8?b?//8=?=", "multipart/mixed; boundary=b"),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(header, value), fc.string({ unit: "binary" }), (headers, body) =>
      isTold(mail(headers, `${body}\n--b\n${body}\n--b--`)),
    ),
    { numRuns: 100 },
  );
});

test.each([
  ["<https://flats.example/leave?id=1>, <mailto:leave@flats.example>", "https://flats.example/leave?id=1"],
  [
    "<mailto:leave@flats.example?subject=leave>,\r\n <https://flats.example/leave>",
    "https://flats.example/leave",
  ],
  ["<mailto:leave@flats.example>", "mailto:leave@flats.example"],
  ["<javascript:alert(1)>", undefined],
  ["https://flats.example/bare", undefined],
  [`<https://flats.example/${"x".repeat(2_000)}>`, undefined],
])("where a list is left is told: %s", async (header, link) => {
  const { item } = await read({ "List-Unsubscribe": header }, "Two rooms");
  expect(item.unsubscribe).toBe(link);
});

test("a bomb of parts, a deep nest and a huge page cost little", async () => {
  const parts = "--b\nContent-Type: text/plain\n\nx\n".repeat(5_000);
  await isTold(mail({ "Content-Type": 'multipart/mixed; boundary="b"' }, parts));
  const nest = Array.from(
    { length: 300 },
    (_, at) => `--b${at}\nContent-Type: multipart/mixed; boundary="b${at + 1}"\n\n`,
  ).join("");
  await isTold(mail({ "Content-Type": 'multipart/mixed; boundary="b0"' }, nest));
  await isTold(mail({ "Content-Type": "text/html" }, "<div>".repeat(400_000)));
});

const CORPUS = join(import.meta.dirname, "../../../../shared/corpus/mail");
const hasCorpus = existsSync(CORPUS);
if (!hasCorpus) console.log("mail corpus: not here, passed over");

test.runIf(hasCorpus)("every mail of the corpus is told or refused", async () => {
  for (const name of readdirSync(CORPUS)) await isTold(readFileSync(join(CORPUS, name)));
});
