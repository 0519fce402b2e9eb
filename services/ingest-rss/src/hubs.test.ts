import { createHmac } from "node:crypto";
import { hubCallbackPath, hubSecret, isHubCallback, isSignedByHub } from "@tidings/ingest";
import type { HubJob } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { expect, test } from "vitest";
import { askHub, type HubMeans } from "./ask-hub.ts";
import { PostponedError } from "./host-manners.ts";
import { hubOf } from "./hubs.ts";

const URL_OF_FEED = "https://a.example/feed";
const HUB = "https://hub.example/";
const rss = (links: string) =>
  `<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel>${links}<item><title>x</title></item></channel></rss>`;

test.each([
  ["RSS", rss(`<atom:link rel="hub" href="${HUB}"/><atom:link rel="self" href="/self"/>`), ""],
  [
    "RSS with another prefix",
    rss(`<a10:link href="${HUB}" rel="HUB"/><a10:link href="/self" rel="self"/>`),
    "",
  ],
  ["Atom", `<feed><link rel="self" href="/self"/><link rel="hub" href="${HUB}"/><entry/></feed>`, ""],
  [
    "JSON Feed",
    JSON.stringify({
      hubs: [
        { type: "rssCloud", url: "x" },
        { type: "WebSub", url: HUB },
      ],
      feed_url: "/self",
    }),
    "",
  ],
  ["the header", rss(""), `<${HUB}>; rel="hub", </self>; rel=self`],
  [
    "the header before the document",
    rss('<atom:link rel="hub" href="https://old.example/"/>'),
    `<${HUB}>; rel=hub, </self>; rel=self`,
  ],
])("%s names a hub", (_where, text, link) => {
  expect(hubOf(text, link, URL_OF_FEED)).toEqual({ url: HUB, topic: "https://a.example/self" });
});

test("without an address of its own the feed is where it was found", () => {
  expect(hubOf(rss(`<atom:link rel="hub" href="${HUB}"/>`), "", URL_OF_FEED)?.topic).toBe(URL_OF_FEED);
});

test.each([
  ["none", rss("")],
  ["one in an item", rss("").replace("<title>", `<atom:link rel="hub" href="${HUB}"/><title>`)],
  ["one that is no web address", rss('<atom:link rel="hub" href="javascript:alert(1)"/>')],
  ["one without an address", rss('<atom:link rel="hub"/>')],
  ["hubs that are no list", '{"hubs": {"type": "WebSub"}}'],
  ["hubs that are no objects", '{"hubs": [null, 1, "WebSub"]}'],
])("%s: there is no hub", (_what, text) => {
  expect(hubOf(text, "", URL_OF_FEED)).toBeNull();
});

const job: HubJob = {
  job: "j1",
  source: "rss.1",
  silo: "s1",
  hub: { url: HUB, topic: URL_OF_FEED },
  leaseSeconds: 864_000,
};

/** Asks, and gives what was posted. */
async function asks(means: Partial<HubMeans>) {
  const posted: { url: string; headers: Readonly<Record<string, string>>; body: string }[] = [];
  await askHub(job, {
    publicUrl: "https://tidings.example",
    isPublic: true,
    key: "key",
    guard: { exempts: async () => false },
    poster: {
      post: async (request) => {
        posted.push(request);
        return { kind: "refused", sentence: "no", status: 404 };
      },
    },
    manners: { turn: async () => () => {} },
    log: silentLog(),
    ...means,
  });
  return posted;
}

test("a hub is asked as a form, with a callback and a secret of the source's own", async () => {
  const [request] = await asks({});
  expect(request?.url).toBe(HUB);
  expect(request?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    "hub.mode": "subscribe",
    "hub.topic": URL_OF_FEED,
    "hub.callback": `https://tidings.example${hubCallbackPath("key", "rss.1")}`,
    "hub.lease_seconds": "864000",
    "hub.secret": hubSecret("key", "rss.1"),
  });
});

test("a hub that cannot reach us is not asked, but for one in a network of one's own", async () => {
  expect(await asks({ isPublic: false })).toEqual([]);
  expect(await asks({ isPublic: false, guard: { exempts: async () => true } })).toHaveLength(1);
});

test("a hub that is asked by too many is left for later", async () => {
  const turn = async () => {
    throw new PostponedError("hub.example", 1_000);
  };
  expect(await asks({ manners: { turn } })).toEqual([]);
});

test("a callback is that of its source and of this installation", () => {
  const mac = hubCallbackPath("key", "rss.1").split("/").at(-1) ?? "";
  expect(isHubCallback("key", "rss.1", mac)).toBe(true);
  expect(isHubCallback("key", "rss.2", mac)).toBe(false);
  expect(isHubCallback("other", "rss.1", mac)).toBe(false);
  expect(isHubCallback("key", "rss.1", "")).toBe(false);
});

test("what is signed is told from what is not", () => {
  const sign = (method: string) => `${method}=${createHmac(method, "s").update("news").digest("hex")}`;
  const body = Buffer.from("news");
  for (const method of ["sha1", "sha256", "sha384", "sha512"])
    expect(isSignedByHub(sign(method), "s", body)).toBe(true);
  const forged = [
    "",
    "sha256",
    "sha256=",
    sign("md5"),
    sign("sha256").slice(0, -2),
    sign("sha256").replace("sha256", "sha1"),
  ];
  for (const header of forged) expect([header, isSignedByHub(header, "s", body)]).toEqual([header, false]);
  expect(isSignedByHub(sign("sha256"), "other", body)).toBe(false);
  expect(isSignedByHub(sign("sha256"), "s", Buffer.from("new"))).toBe(false);
});
