import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createAddressGuard } from "./address-guard.ts";
import { createPoster, type PostOutcome } from "./poster.ts";

const LIMITS = { idleMs: 300, totalMs: 500, connectionsPerHost: 2 };
const resolve = async () => [{ address: "127.0.0.1", family: 4 }];

/** A server that answers each request as `answer` says; what it heard. */
async function serverThat(answer: (request: IncomingMessage) => { status: number; headers?: object } | null) {
  const heard: {
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
    readonly url: string;
  }[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    heard.push({ headers: request.headers, body, url: request.url ?? "" });
    const said = answer(request);
    if (said !== null) response.writeHead(said.status, { ...said.headers }).end("thank you");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1` };
}

async function posts(url: string, allow: readonly string[] = ["127.0.0.0/8"]): Promise<PostOutcome> {
  const poster = createPoster(createAddressGuard(allow, resolve), LIMITS);
  onTestFinished(() => poster.close());
  return poster.post({ url, headers: { "webhook-id": "1" }, body: '{"a":1}' });
}

test("what is posted arrives as JSON with its headers, and 2xx means that it was taken", async () => {
  const { heard, url } = await serverThat(() => ({ status: 204 }));
  expect(await posts(url)).toEqual({ kind: "taken" });
  expect(heard).toMatchObject([
    { url: "/hook?a=1", body: '{"a":1}', headers: { "webhook-id": "1", "content-type": "application/json" } },
  ]);
});

test.each([408, 425, 429, 500, 503])("%i is tried again, after what the server says", async (status) => {
  const { url } = await serverThat(() => ({ status, headers: { "retry-after": "7" } }));
  expect(await posts(url)).toMatchObject({ kind: "again", retryAfterMs: 7_000 });
});

test.each([
  [400, "refused it (400)"],
  [404, "refused it (404)"],
  [410, "any more (410)"],
  [302, "give the address that it leads to"],
])("%i is refused for good, and a redirect is not followed", async (status, sentence) => {
  const { heard, url } = await serverThat(() => ({ status, headers: { location: "/elsewhere" } }));
  expect(await posts(url)).toMatchObject({
    kind: "refused",
    status,
    sentence: expect.stringContaining(sentence),
  });
  expect(heard).toHaveLength(1);
});

test("a server that does not answer, or is not there, is tried again", async () => {
  const { url } = await serverThat(() => null);
  expect(await posts(url)).toMatchObject({ kind: "again", retryAfterMs: null });
  expect(await posts("http://127.0.0.1:1/")).toMatchObject({ kind: "again" });
});

test.each([
  "http://127.0.0.1:8080/",
  "http://[::1]/",
  "http://internal.example/",
  "ftp://example.org/",
  "nonsense",
])("%s is in no network that is public, and nothing is sent there", async (url) => {
  expect(await posts(url, [])).toMatchObject({ kind: "refused", status: null });
});
