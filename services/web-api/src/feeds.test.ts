import type { HistoryItem } from "@tidings/protocol";
import { parseFeed } from "feedsmith";
import { beforeEach, expect, test } from "vitest";
import { openTheatre, type Theatre } from "./theatre.ts";

let theatre: Theatre;
let headers: Record<string, string>;
const HOST = "tidings.example";

beforeEach(async () => {
  theatre = await openTheatre();
  headers = { authorization: `Bearer ${await theatre.signIn("alice")}`, host: HOST };
});

const HOSTILE = `<script>alert("1")</script> & ]]> <![CDATA[ \u2028 é 🙂`;

function remember(id: string, changes: Partial<HistoryItem> = {}): void {
  theatre.avatars.users.get("alice")?.history.unshift({
    id,
    source: "rss.1",
    sourceTitle: "Rooms & flats",
    title: "Two rooms, quiet street",
    link: "https://feeds.example/?a=1&b=2",
    summary: "with a garden",
    author: "Bob",
    publishedAt: Date.UTC(2026, 2, 1, 8),
    receivedAt: Date.UTC(2026, 2, 1, 9),
    state: "handed",
    deliveries: [],
    ...changes,
  });
}

const change = (method: "POST" | "DELETE", url: string) => theatre.app.inject({ method, url, headers });
const read = (url: string, more: Record<string, string> = {}) =>
  theatre.app.inject({ url: url.replace(`http://${HOST}`, ""), headers: { host: HOST, ...more } });

async function rotated(): Promise<Record<"rss" | "atom" | "json", string>> {
  return (await change("POST", "/v1/feed/rotate")).json();
}

/** An entry, as the library reads any of the three formats. */
interface Entry {
  readonly id?: string;
  readonly guid?: { readonly value: string };
  readonly title: string | { readonly value: string };
  readonly link?: string;
  readonly url?: string;
  readonly links?: readonly { readonly href: string }[];
  readonly description?: string;
  readonly summary?: { readonly value: string };
  readonly content_text?: string;
  readonly authors?: readonly { readonly name: string }[];
  readonly dc?: { readonly creators: readonly string[] };
}

/** What a reader of feeds sees, in the same words for all three formats. */
function seen(text: string) {
  const { format, feed } = parseFeed(text);
  const { items, entries } = feed as unknown as { items?: Entry[]; entries?: Entry[] };
  return {
    format,
    items: (items ?? entries ?? []).map((entry) => ({
      id: entry.guid?.value ?? entry.id,
      title: typeof entry.title === "string" ? entry.title : entry.title?.value,
      link: entry.link ?? entry.url ?? entry.links?.[0]?.href,
      text: entry.description ?? entry.summary?.value ?? entry.content_text,
      author: entry.dc?.creators[0] ?? entry.authors?.[0]?.name,
    })),
  };
}

test("there is no feed before the user asks for one, and none after its address was taken away", async () => {
  const before = await theatre.app.inject({ url: "/v1/feed", headers });
  expect(before.json()).toEqual({ rss: null, atom: null, json: null, createdAt: null });
  const link = await rotated();
  expect(link.rss).toMatch(/^http:\/\/tidings\.example\/feeds\/tdf_[A-Za-z0-9-]+_\S+\.rss$/);
  expect((await read(link.rss)).statusCode).toBe(200);
  expect((await change("DELETE", "/v1/feed")).statusCode).toBe(204);
  expect((await read(link.rss)).statusCode).toBe(404);
});

test("a new address ends the one before", async () => {
  const [first, second] = [await rotated(), await rotated()];
  expect((await read(first.json)).statusCode).toBe(404);
  expect((await read(second.json)).statusCode).toBe(200);
});

test.each([
  ["rss", "application/rss+xml", "0123"],
  ["atom", "application/atom+xml", "tag:tidings.test,2026:notification/0123"],
  ["json", "application/feed+json", "0123"],
] as const)("a reader of %s reads what was told", async (format, type, id) => {
  remember("0123");
  const answer = await read((await rotated())[format]);
  expect(answer.headers["content-type"]).toBe(`${type}; charset=utf-8`);
  expect(answer.headers["cache-control"]).toContain("private");
  expect(seen(answer.body)).toEqual({
    format,
    items: [
      {
        id,
        title: "Two rooms, quiet street",
        link: "https://feeds.example/?a=1&b=2",
        text: "with a garden",
        author: "Bob",
      },
    ],
  });
});

test.each(["rss", "atom", "json"] as const)(
  "nothing in a text is markup of the document (%s)",
  async (format) => {
    remember("0123", { title: HOSTILE, summary: HOSTILE, author: HOSTILE });
    remember("4567", { title: "", link: null, summary: null, author: null, publishedAt: null });
    const { items } = seen((await read((await rotated())[format])).body);
    expect(items).toHaveLength(2);
    expect(items[1]?.title.trim()).toBe(HOSTILE);
  },
);

test.each([
  ["rss", '<enclosure url="https://feeds.example/1.mp3" length="1234" type="audio/mpeg"/>'],
  ["atom", 'rel="enclosure"'],
  ["json", '"size_in_bytes":1234'],
] as const)("a file that belongs to it is in the feed (%s)", async (format, written) => {
  const enclosures = [{ url: "https://feeds.example/1.mp3", type: "audio/mpeg", bytes: 1234 }];
  remember("0123", { enclosures });
  expect((await read((await rotated())[format])).body).toContain(written);
});

test("a description of RSS is HTML, in which a text stays a text", async () => {
  remember("0123", { summary: "1 < 2 & <b>3</b>" });
  const { body } = await read((await rotated()).rss);
  expect(body).toContain("1 &lt; 2 &amp; &lt;b&gt;3&lt;/b&gt;");
});

test("what has not changed is not sent again", async () => {
  remember("0123");
  const { atom } = await rotated();
  const { etag } = (await read(atom)).headers as { etag: string };
  const again = await read(atom, { "if-none-match": `"other", W/${etag}` });
  expect([again.statusCode, again.body]).toEqual([304, ""]);
  remember("4567");
  expect((await read(atom, { "if-none-match": etag })).statusCode).toBe(200);
});

test("which part of the history is asked for reaches the avatar", async () => {
  const { rss } = await rotated();
  for (const of of ["all", "unacknowledged", "held"]) {
    await read(`${rss}?of=${of}`);
    expect(theatre.avatars.asked.at(-1)?.args).toMatchObject({ of });
  }
  expect((await read(`${rss}?of=none`)).statusCode).toBe(422);
});

test.each([
  "/feeds/x.rss",
  "/feeds/tdf_YWxpY2U_wrong-secret.rss",
  "/feeds/tdf_Ym9i_feed-secret-1.rss",
  "/feeds/tds_YWxpY2U_feed-secret-1.rss",
  "/feeds/tdf_YWxpY2U_feed-secret-1.html",
  "/feeds/tdf_YWxpY2U_feed-secret-1",
  "/feeds/%00.rss",
])("%s is nobody's feed", async (url) => {
  await rotated();
  const answer = await read(url);
  expect(answer.statusCode).toBe(404);
  expect(answer.json().detail).toBe((await read("/feeds/x.rss")).json().detail);
});

test("a client that asks again and again is told when to come back", async () => {
  const { rss } = await rotated();
  const all = await Promise.all(Array.from({ length: 121 }, () => read(rss)));
  expect(all.filter(({ statusCode }) => statusCode === 200)).toHaveLength(120);
  expect(all.find(({ statusCode }) => statusCode === 429)?.headers["retry-after"]).toMatch(/^\d+$/);
});
