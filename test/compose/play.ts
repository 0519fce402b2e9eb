/**
 * The main job, played once against an installation in containers: somebody signs up, subscribes to a feed, and each new item is
 * at their client, once and in order. Runs in a container of the same network; exit code 0 when all went well.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { connectClient } from "@tidings/bus";
import { bareJid, xml } from "@tidings/protocol";
import { createLog } from "@tidings/runtime";
import { domainIn, nodeHost, PORTS, SHARED } from "../../run/compose/places.ts";
import { Rest, wellDone } from "../theatre/rest.ts";

const ITEMS = 20;
const WITHIN_MS = 60_000;

const domain = domainIn(process.env);
const webUrl = `http://web-api:${PORTS.web}`;
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Resolves to what `look` gives, as soon as that is not null. Rejects after a minute. */
async function awaited<T>(what: string, look: () => Promise<T | null> | T | null): Promise<T> {
  const untilMs = performance.now() + WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${WITHIN_MS / 1_000} s`);
    await pause(100);
  }
}

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flat();
  const address = all.find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
  if (address === undefined) throw new Error("this container has no address");
  return address;
}

const items: string[] = [];
const feed = createServer((_request, response) => {
  const entries = items.map((title) => `<item><title>${title}</title><guid>${title}</guid></item>`).reverse();
  response.writeHead(200, { "content-type": "application/rss+xml" });
  response.end(`<rss version="2.0"><channel><title>Containers</title>${entries.join("")}</channel></rss>`);
}).listen(0, "0.0.0.0");
await once(feed, "listening");
const url = `http://${ownAddress()}:${(feed.address() as AddressInfo).port}/feed.xml`;

await awaited("web-api is ready", async () => {
  const answer = await fetch(`${webUrl}/readyz`).catch(() => null);
  return answer?.ok === true ? true : null;
});

const operator = new Rest(webUrl, readFileSync(`${SHARED}/secrets/operator`, "utf8").trimEnd());
const hosts = Number(process.env.HOSTS ?? 1);
await awaited(`${hosts} hosts serve, and all is well`, async () => {
  const { status, body } = await operator.get("/v1/operations/status");
  return status === 200 && body.isWell && body.hosts >= hosts ? true : null;
});

const name = `play-${randomBytes(4).toString("hex")}`;
const password = randomBytes(12).toString("base64url");
const outside = new Rest(webUrl);
wellDone(await outside.post("/v1/users", { name, password }));
const rest = new Rest(webUrl, wellDone(await outside.post("/v1/sessions", { name, password })).token);

const heard: { readonly title: string; readonly atMs: number }[] = [];
const client = connectClient({
  url: `xmpp://${nodeHost("users")}:${PORTS.client}`,
  domain,
  username: name,
  password,
  log: createLog("play", "warn"),
});
client.onStanza((stanza) => {
  const body = stanza.getChildText("body");
  if (stanza.is("message") && body !== null && stanza.getChild("origin-id") !== undefined)
    heard.push({ title: body.split("\n", 1)[0] ?? "", atMs: performance.now() });
  if (stanza.is("presence") && stanza.attrs.type === "subscribe")
    void client.send(xml("presence", { to: bareJid(String(stanza.attrs.from)), type: "subscribed" }));
});
client.onOnline(() => void client.send(xml("presence")));
await awaited("the client is online", () => (client.isOnline ? true : null));
await awaited("the avatar sees the client", async () => {
  const { presence } = wellDone(await rest.get("/v1/me"));
  return presence.length > 0 ? true : null;
});
say(`${name} has signed up, and is online`);

wellDone(await rest.post("/v1/subscriptions", { url }));
const begunMs = performance.now();
for (let number = 1; number <= ITEMS; number++) {
  items.push(`Item ${number}`);
  await pause(200);
}
await awaited("all items are heard", () => (heard.length >= ITEMS ? true : null));
// Something that came twice would have come by then.
await pause(3_000);
const titles = heard.map(({ title }) => title);
const expected = items.slice(0, ITEMS);
if (titles.join() !== expected.join()) throw new Error(`heard ${titles.join(", ")}`);
say(
  `${ITEMS} items heard once each and in order, the last after ${Math.round((heard.at(-1)?.atMs ?? 0) - begunMs)} ms`,
);

const status = await awaited("all is well", async () => {
  const now = wellDone(await operator.get("/v1/operations/status"));
  return now.isWell ? now : null;
});
say(status.sentence);
for (const check of wellDone(await operator.get("/v1/operations/checks")).items) {
  say(`${check.isGood ? "ok " : "BAD"} ${check.name}: ${check.found}`);
  if (!check.isGood) throw new Error(check.found);
}
wellDone(await rest.delete("/v1/me"));
await client.stop();
feed.closeAllConnections();
feed.close();
