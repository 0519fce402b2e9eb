import { expect, test } from "vitest";
import { readDocument } from "./read-document.ts";

async function only(text: string) {
  const reading = await readDocument(
    { body: Buffer.from(text), contentType: "", url: "https://a.example/dir/feed", source: "rss.test" },
    false,
  );
  if (reading.kind !== "feed") return expect.unreachable(`a feed was expected, not ${reading.kind}`);
  return reading.items[0];
}

const NAMESPACES =
  'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"';
const rss = (inside: string) =>
  `<rss version="2.0" ${NAMESPACES}><channel><item><title>a</title>${inside}</item></channel></rss>`;
/** The same feed, which only the other reader takes. */
const withBase = (inside: string) =>
  rss(inside).replace("<channel>", '<channel xml:base="https://a.example/">');
const atom = (inside: string) =>
  `<feed xmlns="http://www.w3.org/2005/Atom" ${NAMESPACES}><entry><id>1</id><title>a</title>${inside}</entry></feed>`;
const json = (item: object) =>
  JSON.stringify({ version: "https://jsonfeed.org/version/1.1", title: "t", items: [{ id: "1", ...item }] });

const EPISODE = { url: "https://a.example/1.mp3", type: "audio/mpeg", bytes: 1234 };
const ENCLOSURE = '<enclosure url="https://a.example/1.mp3" type="audio/mpeg" length="1234"/>';

test.each([
  ["RSS", rss(ENCLOSURE)],
  ["RSS with xml:base", withBase(ENCLOSURE)],
  ["Atom", atom('<link rel="enclosure" href="/1.mp3" type="Audio/MPEG" length="1234"/>')],
  [
    "JSON Feed",
    json({ attachments: [{ url: EPISODE.url, mime_type: EPISODE.type, size_in_bytes: EPISODE.bytes }] }),
  ],
])("%s: a file comes with its address, type and size", async (_format, text) => {
  expect((await only(text))?.enclosures).toEqual([EPISODE]);
});

test.each([
  ["RSS", rss],
  ["RSS with xml:base", withBase],
])("%s: all files count, each once, without what is no web address or no number", async (_name, make) => {
  const files = ["/2.mp3", "/2.mp3", "javascript:alert(1)", "", "/3.mp3", "/4.mp3", "/5.mp3"];
  const item = await only(make(files.map((url) => `<enclosure url="${url}" length="many"/>`).join("")));
  expect(item?.enclosures).toEqual(
    ["2", "3", "4"].map((name) => ({ url: `https://a.example/${name}.mp3`, type: null, bytes: null })),
  );
});

test.each([
  [
    "a thumbnail before a picture",
    rss,
    '<media:content medium="image" url="/b.png"/><media:thumbnail url="/a.png"/>',
  ],
  ["a thumbnail in a group", withBase, '<media:group><media:thumbnail url="/a.png"/></media:group>'],
  [
    "a picture among the contents",
    rss,
    '<media:content url="/v.mp4"/><media:content type="image/png" url="/a.png"/>',
  ],
  ["that of iTunes", rss, '<itunes:image href="https://a.example/a.png"/>'],
  ["a file that is a picture", rss, '<enclosure url="/a.png" type="image/png"/>'],
  ["of an entry", atom, '<media:thumbnail url="/a.png"/>'],
])("the picture: %s", async (_which, make, inside) => {
  expect((await only(make(inside)))?.image).toBe("https://a.example/a.png");
});

test("JSON Feed: the picture, or else the banner", async () => {
  expect((await only(json({ image: "/a.png", banner_image: "/b.png" })))?.image).toBe(
    "https://a.example/a.png",
  );
  expect((await only(json({ banner_image: "/b.png" })))?.image).toBe("https://a.example/b.png");
});

test("what has no files says nothing of them", async () => {
  const item = await only(rss(""));
  expect(item).not.toHaveProperty("enclosures");
  expect(item).not.toHaveProperty("image");
});
