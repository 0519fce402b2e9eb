import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { createAddressGuard } from "@tidings/outbound";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFetcher, type Fetcher, type FetchLimits } from "./fetch.ts";
import type { FetchFailedError } from "./fetch-failure.ts";
import { loopbackFetcher, startTestServer, type TestServer } from "./test-server.ts";

const NONE = { etag: null, lastModified: null };

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

const get = (path: string) => fetcher.fetch({ url: `${server.url}${path}`, validators: NONE });
const failureAt = (url: string, by: Fetcher = fetcher) =>
  by.fetch({ url, validators: NONE }).then(
    () => expect.unreachable("the fetch should fail"),
    (error: FetchFailedError) => error.failure,
  );

async function withLimits<T>(limits: Partial<FetchLimits>, use: (strict: Fetcher) => Promise<T>): Promise<T> {
  const strict = loopbackFetcher(limits);
  try {
    return await use(strict);
  } finally {
    await strict.close();
  }
}

test("a document comes with its type and its validators", async () => {
  server.on("/feed", "<rss/>", {
    etag: '"v1"',
    "last-modified": "Sun, 01 Nov 2026 00:00:00 GMT",
    "content-type": "text/xml",
  });
  expect(await get("/feed")).toMatchObject({
    url: `${server.url}/feed`,
    permanentUrl: `${server.url}/feed`,
    contentType: "text/xml",
    body: Buffer.from("<rss/>"),
    validators: { etag: '"v1"', lastModified: "Sun, 01 Nov 2026 00:00:00 GMT" },
  });
  expect(server.requests[0]?.headers["user-agent"]).toContain("Tidings");
});

test("an unchanged document is told by its validators alone", async () => {
  server.on("/feed", (request, response) =>
    response
      .writeHead(request.headers["if-none-match"] === '"v1"' ? 304 : 200, { "cache-control": "max-age=600" })
      .end(),
  );
  const validators = { etag: '"v1"', lastModified: "Sun, 01 Nov 2026 00:00:00 GMT" };
  expect(await fetcher.fetch({ url: `${server.url}/feed`, validators })).toEqual({
    body: null,
    permanentUrl: `${server.url}/feed`,
    freshForMs: 600_000,
  });
  expect(server.requests[0]?.headers["if-modified-since"]).toBe("Sun, 01 Nov 2026 00:00:00 GMT");
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
])("a document compressed with %s is decoded", async (coding, compress) => {
  server.on("/feed", compress(Buffer.from("Straße")), { "content-encoding": coding });
  expect((await get("/feed")).body?.toString()).toBe("Straße");
});

test("what a server cut off in compression is still read", async () => {
  const whole = gzipSync(Buffer.from("x".repeat(50_000) + Math.random()));
  server.on("/feed", whole.subarray(0, whole.length - 12), { "content-encoding": "gzip" });
  expect((await get("/feed")).body?.length).toBeGreaterThan(10_000);
});

test("a coding that is a lie is a failure with words", async () => {
  server.on("/feed", "not compressed", { "content-encoding": "gzip" });
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({ reason: "malformed" });
});

test("a 50 MB document is given up at the limit", async () => {
  let sent = 0;
  server.on("/feed", (_request, response) => {
    response.writeHead(200, { "content-length": String(50 * 1024 * 1024) });
    const more = () => {
      while (sent < 50 * 1024 * 1024 && response.write(Buffer.alloc(256 * 1024))) sent += 256 * 1024;
    };
    response.on("drain", more);
    more();
  });
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({ reason: "tooLarge" });
  expect(sent).toBeLessThan(25 * 1024 * 1024);
});

test.each(["gzip", "br"])("a bomb in %s is given up at the limit", async (coding) => {
  const zeros = Buffer.alloc(60 * 1024 * 1024);
  server.on("/feed", coding === "gzip" ? gzipSync(zeros) : brotliCompressSync(zeros, { params: { 1: 1 } }), {
    "content-encoding": coding,
  });
  const before = process.memoryUsage().rss;
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({ reason: "tooLarge" });
  expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
});

test("a document that never ends, byte by byte, is given up after the whole time", async () => {
  server.on("/feed", (_request, response) => {
    const timer = setInterval(() => response.write("x"), 50);
    response.on("close", () => clearInterval(timer));
  });
  const failure = await withLimits({ totalMs: 600 }, (strict) => failureAt(`${server.url}/feed`, strict));
  expect(failure).toMatchObject({
    reason: "unreachable",
    sentence: expect.stringContaining("did not answer in time"),
  });
});

test("a server that falls silent is given up", async () => {
  server.on("/feed", (_request, response) => response.writeHead(200).write("<rss>"));
  const failure = await withLimits({ idleMs: 1_000, totalMs: 20_000 }, (strict) =>
    failureAt(`${server.url}/feed`, strict),
  );
  expect(failure).toMatchObject({ reason: "unreachable" });
});

test("only a chain of permanent redirects changes the address", async () => {
  server.on("/old", (_request, response) => response.writeHead(301, { location: "/moved" }).end());
  server.on("/moved", (_request, response) => response.writeHead(302, { location: "/today" }).end());
  server.on("/today", (_request, response) => response.writeHead(308, { location: "/there" }).end());
  server.on("/there", "<rss/>");
  expect(await get("/old")).toMatchObject({
    url: `${server.url}/there`,
    permanentUrl: `${server.url}/moved`,
  });
});

test("a circle of redirects ends", async () => {
  server.on("/round", (_request, response) => response.writeHead(302, { location: "/round" }).end());
  expect(await failureAt(`${server.url}/round`)).toMatchObject({ reason: "unavailable" });
  expect(server.requests.length).toBe(6);
});

test.each([
  "http://10.0.0.1/",
  "http://169.254.169.254/latest/meta-data",
  "file:///etc/passwd",
  "gopher://127.0.0.1/",
  "http://user:x@127.0.0.1/",
])("a redirect to %s is refused", async (location) => {
  server.on("/feed", (_request, response) => response.writeHead(302, { location }).end());
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({ reason: "address" });
});

test.each([
  "http://127.0.0.1/",
  "http://[::1]/",
  "http://[::ffff:7f00:1]/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://0/",
  "http://localhost/",
  "http://localhost./",
  "http://[64:ff9b::7f00:1]/",
  "http://1.1.1.1:25/",
])("%s is refused without an exemption", async (url) => {
  const strict = createFetcher(createAddressGuard([], async () => [{ address: "127.0.0.1", family: 4 }]));
  try {
    expect(await failureAt(url, strict)).toMatchObject({ reason: "address" });
  } finally {
    await strict.close();
  }
});

test("a name is resolved once for its connection, and what was checked is what is connected to", async () => {
  const asked: string[] = [];
  const guard = createAddressGuard(["127.0.0.1/32"], async (hostname) => {
    asked.push(hostname);
    return [{ address: asked.length === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
  });
  const rebound = createFetcher(guard);
  server.on("/feed", "first", { connection: "close" });
  try {
    const url = `http://rebinding.example:${server.port}/feed`;
    expect((await rebound.fetch({ url, validators: NONE })).body?.toString()).toBe("first");
    expect(await failureAt(url, rebound)).toMatchObject({ reason: "address" });
    expect(asked).toEqual(["rebinding.example", "rebinding.example"]);
  } finally {
    await rebound.close();
  }
});

test.each([
  [404, "refused"],
  [403, "refused"],
  [410, "gone"],
  [429, "unavailable"],
  [500, "unavailable"],
  [503, "unavailable"],
])("status %i is told as %s", async (status, reason) => {
  server.on("/feed", (_request, response) => response.writeHead(status, { "retry-after": "120" }).end());
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({ reason, retryAfterMs: 120_000 });
});

test("a server that is not there, and a name that is not, are told apart", async () => {
  await server.close();
  expect(await failureAt(`${server.url}/feed`)).toMatchObject({
    sentence: expect.stringContaining("takes no connections"),
  });
  const unnamed = createFetcher(
    createAddressGuard([], () =>
      Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" })),
    ),
  );
  const failure = await failureAt("http://nobody.example/", unnamed);
  await unnamed.close();
  expect(failure).toMatchObject({
    reason: "unreachable",
    sentence: expect.stringContaining("Check the spelling"),
  });
  server = await startTestServer();
});
