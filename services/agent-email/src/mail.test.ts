import type { Dispatch } from "@tidings/protocol";
import fc from "fast-check";
import { createTransport } from "nodemailer";
import { expect, test } from "vitest";
import { mailOf } from "./mail.ts";
import { dispatch, headerIn, MAILBOX, SENDER } from "./stage.ts";

const ENTRY = { id: 56, key: `alice 0123 ${MAILBOX}`, attempt: 1, begunAt: Date.UTC(2026, 10, 25, 7, 12) };
const transport = createTransport({ streamTransport: true, buffer: true, newline: "unix" });

async function rawOf(changes: Partial<Dispatch>, sender = SENDER): Promise<string> {
  const { message } = await transport.sendMail(mailOf(dispatch(changes), MAILBOX, ENTRY, sender));
  return String(message);
}

function notification(changes: Partial<Dispatch["notification"]>) {
  return { ...dispatch().notification, receivedAt: Date.UTC(2026, 10, 25, 7, 11), ...changes };
}

const DIGEST: Partial<Dispatch> = {
  sourceTitle: null,
  notification: notification({
    title: "2 notifications: Two rooms · Zimmer",
    source: "digest",
    link: null,
    summary: "• Two rooms",
  }),
  members: [
    {
      id: "a",
      title: "Two rooms, quiet street",
      link: "https://example.org/1?a=1&b=2",
      sourceTitle: "Rooms",
      receivedAt: Date.UTC(2026, 10, 24, 18, 30),
    },
    {
      id: "b",
      title: "Zimmer für <b>zwei</b>",
      link: null,
      sourceTitle: null,
      receivedAt: Date.UTC(2026, 10, 25, 6, 0),
    },
  ],
};

test("one notification reads as the golden file has it", async () => {
  const raw = await rawOf({
    heldSinceAt: Date.UTC(2026, 10, 24, 22, 0),
    notification: notification({ summary: "South side, balcony.\n380 € a month & no pets.", author: "Bob" }),
  });
  await expect(raw).toMatchFileSnapshot("../golden/notification.eml");
});

test("a digest reads as the golden file has it", async () => {
  await expect(await rawOf(DIGEST)).toMatchFileSnapshot("../golden/digest.eml");
});

test("times are those of the user's clocks", async () => {
  expect(await rawOf({ ...DIGEST, zone: "Europe/Berlin" })).toContain("2026-11-24 19:30 GMT+1");
});

test("a code reads as the golden file has it: nothing to unsubscribe from, and nobody to reply to", async () => {
  const raw = await rawOf({
    sourceTitle: null,
    notification: notification({ source: "tidings", title: "Your code is 123456", link: null }),
  });
  await expect(raw).toMatchFileSnapshot("../golden/code.eml");
  expect(raw).not.toMatch(/^(List-|Reply-To)/im);
  expect(raw).not.toMatch(/\back\b|snooze/);
});

test("without an address for it there is no unsubscribing by one click, but by mail", async () => {
  const raw = await rawOf({}, { ...SENDER, publicUrl: null });
  expect(headerIn(raw, "List-Unsubscribe")).toMatch(/^<mailto:reply\+\S+\?subject=stop>$/);
  expect(headerIn(raw, "List-Unsubscribe-Post")).toBeUndefined();
});

test("a title cannot add a header, and neither can a source", async () => {
  const title = "Two rooms\r\nBcc: bob@example.org\r\n\r\nHello";
  const raw = await rawOf({
    sourceTitle: title,
    notification: notification({ title, source: "rss.1\r\nBcc: bob@example.org" }),
  });
  expect(headerIn(raw, "Subject")).toBe("Two rooms Bcc: bob@example.org Hello");
  expect(headerIn(raw, "Bcc")).toBeUndefined();
  expect(headerIn(raw, "List-Id")).toBe("<rss.1bccbobexample.org.in.d.test>");
});

test("markup stays text, and a link that is none of the web is left out", () => {
  const { html, text } = mailOf(
    dispatch({
      notification: notification({
        title: `<img src="https://evil.test/p.gif"><script>alert("1")</script>`,
        summary: "<a href='javascript:alert(1)'>x</a>",
        link: "javascript:alert(1)",
      }),
    }),
    MAILBOX,
    ENTRY,
    SENDER,
  );
  expect(html).not.toMatch(/<(img|script|a)\b/);
  expect(html).toContain("&lt;img src=&quot;https://evil.test/p.gif&quot;&gt;");
  expect(text).not.toMatch(/^javascript:/m);
});

test("whatever comes, HTML has the elements of ours alone, and headers stay single lines", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."ab<>&\"'/\r\n\u0000\u202e", "<a href=", "ж"),
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, text, text, text, (title, summary, link, sourceTitle) => {
      const changes = { sourceTitle, notification: notification({ title, summary, link }) };
      const mail = mailOf(dispatch(changes), MAILBOX, ENTRY, SENDER);
      const elements = [...mail.html.matchAll(/<\/?([a-z!0-9]+)/g)].map(([, name]) => name);
      for (const name of elements)
        expect([
          "!doctype",
          "html",
          "head",
          "meta",
          "title",
          "body",
          "h1",
          "p",
          "br",
          "a",
          "small",
          "hr",
        ]).toContain(name);
      for (const [, href] of mail.html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^https?:/);
      expect(mail.subject).not.toMatch(/[\r\n]/);
    }),
  );
});

test("what can be answered is said first of all that can be replied", async () => {
  const options = [{ id: "restart", label: "Restart" }];
  expect(await rawOf({ notification: notification({ options }) })).toContain(
    "Reply with 1 Restart. Reply with ack",
  );
});
