/** Mail on real servers: what a mail program sends to an inbox is at the client, once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, expect, inject, test } from "vitest";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

const sender = createTransport({
  host: "127.0.0.1",
  port: inject("ports").smtp,
  name: "flats.example",
  requireTLS: true,
  tls: { rejectUnauthorized: false },
});

const mail = (to: string, subject: string, more: object = {}) =>
  sender.sendMail({
    from: "Flats <alerts@flats.example>",
    to,
    subject,
    text: "Quiet street.\n\nhttps://flats.example/1",
    ...more,
  });

test("mail to an inbox is at the client a moment after the 250, and the same mail again is told once", async () => {
  const alice = await theatre.user("alice");
  const [{ id, address }] = await Promise.all([
    alice.rest.post("/v1/inboxes", { title: "Flats" }).then(wellDone),
    alice.comesOnline(),
  ]);
  const messageId = `<${id}@flats.example>`;
  const { response } = await mail(address, "Two rooms", { messageId });
  expect(response).toMatch(/^250 2\.0\.0/);
  expect((await alice.hears("Two rooms")).body).toBe("Two rooms\nFlats\nhttps://flats.example/1");
  await mail(address, "Two rooms", { messageId, headers: { "X-Forwarded-For": "again" } });
  await mail(address, "A loft");
  await alice.hears("A loft");
  const history = await alice.hasHistoryOf(2);
  expect(history.map(({ title, source }) => [title, source])).toEqual([
    ["A loft", id],
    ["Two rooms", id],
  ]);
  expect(history[0].summary).toContain("Quiet street.");
});

test("an operator counts what was taken and what was refused, where Prometheus would", async () => {
  const alice = await theatre.user("alice");
  const { address } = wellDone(await alice.rest.post("/v1/inboxes", { title: "Flats" }));
  const before = await figuresOf("ingest-email");
  await mail(address, "Two rooms");
  await expect(mail("bob@elsewhere.example", "Two rooms")).rejects.toThrow("nothing is relayed");
  const after = await figuresOf("ingest-email");
  for (const figure of [
    'tidings_mails_total{code="250"}',
    'tidings_mail_recipients_refused_total{code="550"}',
  ])
    expect(after(figure)).toBeGreaterThan(before(figure));
  expect((await fetch(`${inject("webUrl")}/metrics`)).status).toBe(200);
});

/** Reads the figures of the process called `name`; what is not counted yet is 0. */
async function figuresOf(name: string): Promise<(figure: string) => number> {
  const [{ targets }] = JSON.parse(readFileSync(join(inject("home"), "metrics", `${name}.json`), "utf8"));
  const text = await (await fetch(`http://${targets[0]}/metrics`)).text();
  return (figure) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${figure} `))
        ?.split(" ")[1] ?? 0,
    );
}

test("everybody has an address for mail from the start: who only signs up can forward to it", async () => {
  const alice = await theatre.user("alice");
  await alice.comesOnline();
  const { inbox } = wellDone(await alice.rest.get("/v1/me"));
  await expect
    .poll(() => mail(inbox, "Two rooms").then(() => "taken", String), { timeout: 15_000 })
    .toBe("taken");
  await alice.hears("Two rooms");
});

test("mail for nobody is refused while it is sent, and an inbox that was removed says so", async () => {
  const alice = await theatre.user("alice");
  const { id, address } = wellDone(await alice.rest.post("/v1/inboxes", { title: "Flats" }));
  await expect(mail(`not${address}`, "Two rooms")).rejects.toThrow("550 5.1.1");
  await expect(mail("bob@elsewhere.example", "Two rooms")).rejects.toThrow("nothing is relayed");
  wellDone(await alice.rest.delete(`/v1/inboxes/${id}`));
  await alice.hasSubscription(id, { state: "ended" });
  await expect
    .poll(() => mail(address, "late").then(() => "taken", String), { timeout: 15_000 })
    .toMatch(/550 5\.2\.1/);
});
