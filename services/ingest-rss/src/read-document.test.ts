import { readFileSync } from "node:fs";
import { check, ITEM_LIMITS, Item, isSendable, itemId } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Reading, readDocument } from "./read-document.ts";

const SOURCE = "rss.test";
const URL_OF_FEED = "https://feeds.example/dir/feed.xml";

type Feed = Extract<Reading, { kind: "feed" }>;

async function feedIn(text: string, isCareful = false): Promise<Feed> {
  const reading = await readDocument(
    { body: Buffer.from(text), contentType: "", url: URL_OF_FEED, source: SOURCE },
    isCareful,
  );
  if (reading.kind !== "feed") return expect.unreachable(`a feed was expected, not ${reading.kind}`);
  for (const item of reading.items) expectToBeSendable(item);
  return reading;
}

function expectToBeSendable(item: Item): void {
  check(Item, item, "item");
  for (const text of [item.title, item.link, item.summary, item.author, ...(item.categories ?? [])])
    expect(text === null || isSendable(text)).toBe(true);
}

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const rss = (items: string, head = "<title>Rooms</title>") =>
  `<rss version="2.0"><channel>${head}${items}</channel></rss>`;
const kindOf = async (text: string) =>
  (await readDocument({ body: Buffer.from(text), contentType: "", url: URL_OF_FEED, source: SOURCE }, false))
    .kind;

test("an RSS feed is read whole, the oldest first", async () => {
  const feed = await feedIn(fixture("rooms.rss"));
  expect(feed.title).toBe("Rooms & Flats");
  expect(feed.items).toEqual([
    {
      id: itemId(SOURCE, "https://rooms.example/1"),
      title: "One room, with <balcony>",
      link: "https://rooms.example/1",
      summary: "Ground floor.\n\n* Heating\n* Cellar",
      author: "Ada Example",
      publishedAt: Date.UTC(2026, 10, 1, 8, 0),
    },
    {
      id: itemId(SOURCE, "room-2"),
      title: "Two rooms, quiet street",
      link: "https://rooms.example/2?a=1&b=2",
      summary: "Third floor & roof",
      author: null,
      publishedAt: Date.UTC(2026, 10, 2, 9, 30),
    },
  ]);
});

test("Atom: the alternate link counts, XHTML keeps its order, xml:base is followed", async () => {
  const feed = await feedIn(fixture("notes.atom"));
  expect(feed.title).toBe("Notes & more");
  expect(feed.items.map(({ title, link, author, summary }) => ({ title, link, author, summary }))).toEqual([
    { title: "1 < 2 & 3", link: "https://notes.example/plain", author: null, summary: "a &amp; b" },
    { title: "Hi there you", link: "https://notes.example/sub/page", author: "Bo", summary: "Read this now" },
  ]);
});

test("JSON Feed is read", async () => {
  const feed = await feedIn(fixture("feed.json"));
  expect(feed.title).toBe("JSON notes");
  expect(feed.items.map(({ title, link }) => [title, link])).toEqual([
    ["Older", "https://json.example/older"],
    ["Hello from JSON", "https://json.example/newer"],
  ]);
});

test.each([
  ["without a version", "<rss><channel><title>T</title><item><title>a</title></item></channel></rss>"],
  [
    "of version 1.0",
    '<rss version="1.0"><channel><title>T</title><item><title>a</title></item></channel></rss>',
  ],
  [
    "in capitals",
    '<RSS VERSION="2.0"><CHANNEL><TITLE>T</TITLE><ITEM><TITLE>a</TITLE></ITEM></CHANNEL></RSS>',
  ],
  [
    "with what a server printed before it",
    `<br />Warning: x\n<?xml version="1.0"?>${rss("<item><title>a</title></item>")}`,
  ],
  [
    "with a prefix",
    '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>a</a:title><a:id>1</a:id></a:entry></a:feed>',
  ],
  ["cut off in an item", `${rss("<item><title>a</title></item>").slice(0, -16)}<item><title>half`],
  ["with a tag that is never closed", rss("<item><title>a</title><link>http://x.example/1</item>")],
])("a feed %s is read", async (_name, text) => {
  expect((await feedIn(text)).items.map(({ title }) => title)).toEqual(["a"]);
});

test.each([
  [
    "RSS",
    rss(
      '<item><title>a</title><category>Flats</category><category domain="x">To &amp;amp; let</category><category>Flats</category></item>',
    ),
  ],
  [
    "Atom",
    '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>a</title><id>1</id><category term="Flats"/><category term="x" label="To &amp; let"/></entry></feed>',
  ],
  [
    "JSON Feed",
    '{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","title":"a","tags":["Flats","To & let","Flats"]}]}',
  ],
])("the categories of %s are read, each once", async (_form, text) => {
  expect((await feedIn(text)).items[0]?.categories).toEqual(["Flats", "To & let"]);
});

test("categories are bounded in number and length", async () => {
  const many = Array.from({ length: 50 }, (_, n) => `<category>${n}${"x".repeat(500)}</category>`).join("");
  const categories = (await feedIn(rss(`<item><title>a</title>${many}</item>`))).items[0]?.categories ?? [];
  expect(categories).toHaveLength(ITEM_LIMITS.categories);
  expect(categories[0]).toHaveLength(ITEM_LIMITS.category);
});

test("stray characters do not lose the feed", async () => {
  const feed = await feedIn(
    rss("<item><title>a & b &nbsp;&hellip; < c</title><link>/x?a=1&b=2</link></item>"),
  );
  expect(feed.items[0]).toMatchObject({ title: "a & b … < c", link: "https://feeds.example/x?a=1&b=2" });
});

test("an item is known by its guid, else its link, else its title and date", async () => {
  const feed = await feedIn(
    rss(`<item><guid>g</guid><link>http://x.example/</link><title>1</title></item>
      <item><link>http://x.example/l</link><title>2</title></item>
      <item><title>3</title><pubDate>Mon, 02 Nov 2026 00:00:00 GMT</pubDate></item><item/>`),
  );
  expect(new Set(feed.items.map(({ id }) => id))).toEqual(
    new Set([
      itemId(SOURCE, "g"),
      itemId(SOURCE, "http://x.example/l"),
      itemId(SOURCE, "3\nMon, 02 Nov 2026 00:00:00 GMT"),
    ]),
  );
});

test("an item that stands twice in a document is one item", async () => {
  const item = "<item><guid>same</guid><title>once</title></item>";
  expect((await feedIn(rss(item + item))).items.length).toBe(1);
});

test("a missing title is made from the summary, else from the link", async () => {
  const feed = await feedIn(
    rss(`<item><guid>1</guid><description>&lt;p&gt;Flat to let&lt;/p&gt;</description></item>
      <item><guid>2</guid><link>https://www.x.example/y</link></item><item><guid>3</guid></item>`),
  );
  expect(feed.items.map(({ title }) => title).sort()).toEqual(["(no title)", "Flat to let", "x.example/y"]);
});

test("only web links are links", async () => {
  const links = [
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:a@b.example",
    `http://x.example/${"y".repeat(5_000)}`,
  ];
  const feed = await feedIn(
    rss(
      links.map((link, n) => `<item><guid>${n}</guid><title>t</title><link>${link}</link></item>`).join(""),
    ),
  );
  expect(feed.items.map(({ link }) => link)).toEqual([null, null, null, null]);
});

test("markup never gets through, and what only looks like it does", async () => {
  const feed = await feedIn(
    rss(`<item><guid>1</guid><title><![CDATA[<b>Bold</b> &amp; <script>x</script>done]]></title></item>
      <item><guid>2</guid><title>Vec&lt;String&gt; in Rust</title>
        <description>&lt;p&gt;a&lt;img src=x onerror=alert(1)&gt;b&lt;script&gt;alert(1)&lt;/script&gt;&lt;/p&gt;</description></item>`),
  );
  expect(feed.items.find(({ id }) => id === itemId(SOURCE, "1"))?.title).toBe("Bold & done");
  expect(feed.items.find(({ id }) => id === itemId(SOURCE, "2"))).toMatchObject({
    title: "Vec<String> in Rust",
    summary: "ab",
  });
});

test("control characters, direction overrides and lone surrogates are taken out", async () => {
  const feed = await feedIn(
    rss("<item><guid>1</guid><title>a\u0000\u0008b&#1;\u202Ec &#xFFFE;&#xD800;d</title></item>"),
  );
  expect(feed.items[0]?.title).toMatch(/^abc .?d$/);
});

test("a title of 1 MB is cut, and its item keeps its identity", async () => {
  const feed = await feedIn(rss(`<item><guid>g</guid><title>${"long ".repeat(200_000)}</title></item>`));
  expect(feed.items[0]?.title.length).toBeLessThanOrEqual(ITEM_LIMITS.title);
  expect(feed.items[0]?.id).toBe(itemId(SOURCE, "g"));
});

test("entities of a document's own are not expanded, files are not read", async () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>`;
  const feed = await feedIn(
    `<?xml version="1.0"?>${bomb}${rss("<item><guid>1</guid><title>&b;&c;</title></item>")}`,
  );
  expect(feed.items[0]?.title).toBe("&b;&c;");
});

test.each([false, true])("elements nested 10,000 deep do no harm (careful: %s)", async (isCareful) => {
  const deep = `${"<a>".repeat(10_000)}x${"</a>".repeat(10_000)}`;
  await feedIn(
    rss(`<item><guid>1</guid><title>before</title><description>${deep}</description></item>`),
    isCareful,
  );
  const escaped = "&lt;div&gt;".repeat(10_000);
  const feed = await feedIn(
    rss(`<item><guid>1</guid><title>t</title><description>${escaped}</description></item>`),
    true,
  );
  expect(feed.items.length).toBe(1);
});

test("of a huge document the newest thousand items count", async () => {
  const items = Array.from(
    { length: 1_500 },
    (_, n) => `<item><guid>${n}</guid><title>n${n}</title></item>`,
  ).join("");
  const feed = await feedIn(rss(items));
  expect(feed.items.length).toBe(1_000);
  expect(feed.items.at(-1)?.title).toBe("n0");
});

test("a document whose dates rise is read in its own order", async () => {
  const items = ["01", "02", "03"].map(
    (day) => `<item><guid>${day}</guid><title>${day}</title><pubDate>2026-11-${day}</pubDate></item>`,
  );
  const undated = "<item><guid>x</guid><title>x</title></item>";
  expect((await feedIn(rss(items.join("") + undated))).items.map(({ title }) => title)).toEqual([
    "01",
    "02",
    "03",
    "x",
  ]);
  expect((await feedIn(rss(items.reverse().join("")))).items.map(({ title }) => title)).toEqual([
    "01",
    "02",
    "03",
  ]);
});

test("what is no feed is told apart from what is broken", async () => {
  expect(await kindOf("<!doctype html><title>Hello</title>")).toBe("page");
  expect(await kindOf("<html><body>Hello</body></html>")).toBe("page");
  expect(await kindOf("plain words")).toBe("other");
  expect(await kindOf("<opml><body/></opml>")).toBe("other");
  expect(await kindOf('{"some":"json"}')).toBe("other");
  expect(await kindOf("")).toBe("other");
  expect(await kindOf('{"version":"https://jsonfeed.org/version/1.1","items":[{"id"')).toBe("broken");
});

test("a feed without items is a feed", async () => {
  expect((await feedIn(rss(""))).items).toEqual([]);
  expect((await feedIn('<feed xmlns="http://www.w3.org/2005/Atom"></feed>')).items).toEqual([]);
});

test("whatever stands in a feed, its items may travel", async () => {
  const nasty = fc.string({ unit: "binary", maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(nasty, nasty, fc.boolean(), async (title, description, isCareful) => {
      await feedIn(
        rss(`<item><guid>1</guid><title>${title}</title><description>${description}</description></item>`),
        isCareful,
      );
    }),
    { numRuns: 100 },
  );
}, 30_000);

test.each([
  ["an empty creator beside an author", "<author>a@b.example (Ada)</author><dc:creator/>", "Ada"],
  ["both", "<author>a@b.example</author><dc:creator>Ada</dc:creator>", "Ada"],
  ["that of iTunes alone", "<itunes:author>Ada</itunes:author>", "Ada"],
])("the author of an item, by either reader: %s", async (_which, inside, author) => {
  const names =
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"';
  const text = rss(`<item><title>a</title>${inside}</item>`).replace("<rss", `<rss ${names}`);
  const withBase = text.replace("<channel>", '<channel xml:base="https://a.example/">');
  for (const document of [text, withBase]) expect((await feedIn(document)).items[0]?.author).toBe(author);
});
