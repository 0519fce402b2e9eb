import { feedSource, itemId, LookupAnswer, parseAs, QUEUES } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Fetcher } from "./fetch.ts";
import { answerLookup, lookUp } from "./lookup.ts";
import { type FetchedDocument, readDocument } from "./read-document.ts";
import { loopbackFetcher, startTestServer, type TestServer } from "./test-server.ts";

const FEED = `<rss version="2.0"><channel><title>Rooms</title><item><guid>2</guid><title>Newer</title></item>
  <item><guid>1</guid><title>Older</title></item></channel></rss>`;

let server: TestServer;
let fetcher: Fetcher;

beforeEach(async () => {
  server = await startTestServer();
  fetcher = loopbackFetcher();
});

afterEach(async () => {
  await fetcher.close();
  await server.close();
});

const tools = () => ({
  fetch: fetcher.fetch,
  read: (document: FetchedDocument) => readDocument(document, false),
  log: silentLog(),
});
const ask = (typed: string) => lookUp(typed, tools());

test("a feed's own address is answered with the feed, newest first, its items with the ids that polls will give them", async () => {
  server.on("/feed", FEED);
  const url = `${server.url}/feed`;
  expect(await ask(`${url}#top`)).toMatchObject({
    found: true,
    url,
    title: "Rooms",
    items: [{ id: itemId(feedSource(url), "2"), title: "Newer" }, { title: "Older" }],
  });
});

test("a page is answered with the feed that it names", async () => {
  server.on(
    "/",
    '<html><head><link rel="alternate" type="application/rss+xml" href="/gone"><link rel="alternate" type="application/atom+xml" href="/feed"></head>',
  );
  server.on("/feed", FEED);
  expect(await ask(server.url)).toMatchObject({ found: true, url: `${server.url}/feed` });
});

test("a page that names its feed in a header only is answered with it", async () => {
  server.on("/", "<html></html>", { link: '</feed>; rel="alternate"; type="application/rss+xml"' });
  server.on("/feed", FEED);
  expect(await ask(server.url)).toMatchObject({ found: true, url: `${server.url}/feed` });
});

test("a page that names none is searched at the usual places", async () => {
  server.on("/", "<html></html>");
  server.on("/index.xml", FEED);
  expect(await ask(server.url)).toMatchObject({ found: true, url: `${server.url}/index.xml` });
});

test("permanent redirects change the address, others do not", async () => {
  server.on("/old", (_request, response) => response.writeHead(301, { location: "/now" }).end());
  server.on("/now", (_request, response) => response.writeHead(307, { location: "/feed" }).end());
  server.on("/feed", FEED);
  expect(await ask(`${server.url}/old`)).toMatchObject({ found: true, url: `${server.url}/now` });
});

test("an address without a scheme is tried with http when nothing answers with https", async () => {
  server.on("/feed", FEED);
  expect(await ask(`127.0.0.1:${server.port}/feed`)).toMatchObject({
    found: true,
    url: `${server.url}/feed`,
  });
});

test("a page without any feed says what to do, after a bounded number of tries", async () => {
  server.on("/", "<html></html>");
  expect(await ask(server.url)).toMatchObject({
    found: false,
    failure: { reason: "notAFeed", sentence: expect.stringContaining("This page is no feed and names none") },
  });
  expect(server.requests.length).toBeLessThanOrEqual(9);
});

test.each([
  ["not an address at all", "address"],
  ["ftp://files.example/feed", "address"],
  ["http://10.0.0.1/feed", "address"],
])("%s is refused with a sentence", async (typed, reason) => {
  expect(await ask(typed)).toMatchObject({
    found: false,
    failure: { reason, sentence: expect.stringMatching(/\.$/) },
  });
});

test("a page cannot make us look into the private network", async () => {
  server.on(
    "/",
    '<html><head><link rel="alternate" type="application/rss+xml" href="http://10.0.0.1/feed"></head>',
  );
  expect(await ask(server.url)).toMatchObject({ found: false, failure: { reason: "notAFeed" } });
});

test("a question on the queue is answered", async () => {
  server.on("/feed", FEED);
  const queue = new MemoryBroker().connect();
  await queue.consume(QUEUES.lookup, 1, (delivery) => void answerLookup(delivery, tools()));
  const answer = await queue.request(QUEUES.lookup, JSON.stringify({ url: `${server.url}/feed` }), 5_000);
  expect(parseAs(LookupAnswer, answer, "answer")).toMatchObject({ found: true, title: "Rooms" });
  await queue.stop();
});
