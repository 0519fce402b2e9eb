import { createHmac } from "node:crypto";
import { hubCallbackPath, hubSecret } from "@tidings/ingest";
import { PUSHED_BYTES, PushedDocument, parseAs, pollPart, QUEUES } from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import { beforeEach, expect, test } from "vitest";
import { openTheatre, type Theatre } from "./theatre.ts";

const KEY = "the key of hubs";
const SOURCE = "rss.0123";
const TOPIC = "https://feeds.example/rooms";
const CALLBACK = hubCallbackPath(KEY, SOURCE);

let theatre: Theatre;
let taken: PushedDocument[];

beforeEach(async () => {
  theatre = await openTheatre({ hubKey: KEY });
  theatre.avatars.hubTopics.set(SOURCE, TOPIC);
  taken = [];
  await theatre.broker.connect().consume(QUEUES.poll(pollPart(TOPIC)), 10, (delivery) => {
    taken.push(parseAs(PushedDocument, delivery.body, "document"));
    delivery.ack();
  });
});

const sign = (body: string, secret = hubSecret(KEY, SOURCE)) =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
const send = (body: string, signature = sign(body), url = CALLBACK) =>
  theatre.app.inject({
    method: "POST",
    url,
    payload: body,
    headers: { "x-hub-signature": signature, "content-type": "application/rss+xml; charset=utf-8" },
  });
const verify = (query: Record<string, string>, url = CALLBACK) => theatre.app.inject({ url, query });

test("what a hub has signed is where the feed's jobs go before it is answered", async () => {
  expect((await send("<rss>é</rss>")).statusCode).toBe(202);
  await eventually(() => expect(taken).toHaveLength(1));
  expect(taken[0]).toMatchObject({
    source: SOURCE,
    url: TOPIC,
    contentType: "application/rss+xml; charset=utf-8",
  });
  expect(Buffer.from(taken[0]?.body ?? "", "base64").toString()).toBe("<rss>é</rss>");
});

test.each([
  ["without a signature", 403, ""],
  ["with another secret", 403, sign("x", "other")],
  ["of another body", 403, sign("y")],
])("what comes %s is refused", async (_how, status, signature) => {
  expect((await send("x", signature)).statusCode).toBe(status);
  expect(taken).toEqual([]);
});

test("a callback that nobody was told of is not there, however large what is sent", async () => {
  const body = "x".repeat(PUSHED_BYTES + 1);
  for (const url of [`${CALLBACK.slice(0, -1)}!`, hubCallbackPath("other", SOURCE), "/websub/rss.1/x"])
    expect((await send(body, sign(body), url)).statusCode).toBe(404);
  expect((await send(body)).statusCode).toBe(413);
  expect(taken).toEqual([]);
});

test("a hub whose feed nobody wants is told to stop", async () => {
  theatre.avatars.hubTopics.clear();
  expect((await send("x")).statusCode).toBe(410);
});

test("a hub that asks is answered with its challenge as text, when the source agrees", async () => {
  const wish = {
    "hub.mode": "subscribe",
    "hub.topic": TOPIC,
    "hub.challenge": "<b>1</b>",
    "hub.lease_seconds": "60",
  };
  const agreed = await verify(wish);
  expect([agreed.statusCode, agreed.body, agreed.headers["content-type"]]).toEqual([
    200,
    "<b>1</b>",
    "text/plain; charset=utf-8",
  ]);
  expect((await verify({ ...wish, "hub.topic": "https://other.example/" })).statusCode).toBe(404);
  expect((await verify({ ...wish, "hub.mode": "publish" })).statusCode).toBe(422);
  expect((await verify(wish, hubCallbackPath("other", SOURCE))).statusCode).toBe(404);
});
