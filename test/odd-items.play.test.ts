/** Items as real feeds have them: broken XML, missing parts, forbidden characters, texts without end. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { rss } from "./theatre/feed.ts";
import { openTheatre } from "./theatre/theatre.ts";
import { Witness } from "./theatre/witness.ts";

const theatre = openTheatre();
let witness: Witness;
beforeAll(async () => {
  witness = await Witness.arrives();
});
afterEach(() => theatre.clears());
afterAll(() => witness?.leaves());

/** Alice follows an empty feed, which then becomes `document`; her history when all of it is there, oldest first. */
async function historyWith(document: string, count: number) {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("odd")]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  feed.serves(document);
  const items = await alice.hasHistoryOf(count);
  await feed.isPolled(2);
  expect(await alice.history()).toHaveLength(count);
  await witness.stillHears();
  return { alice, items: items.toReversed() };
}

test("malformed XML is read as far as it can be saved", async () => {
  const document = `<?xml version="1.0"?>
<rss version="2.0"><channel><title>Bed & Breakfast</title>
<item><guid>b</guid><title>Bed & breakfast, 3 < 4 nights</title><link>https://b.example/?a=1&b=2</link></item>
<item><guid>a</guid><title>A bed &nbsp; a table</title><description><p>Unclosed<br></description></item>`;
  const { alice, items } = await historyWith(document, 2);
  expect(items.map(({ title }) => title)).toEqual(["A bed a table", "Bed & breakfast, 3 < 4 nights"]);
  await alice.hears("https://b.example/?a=1&b=2");
});

test("items without guid, link or title are told apart, and each is told once", async () => {
  const document = rss("odd", [
    { title: "Only a title" },
    { link: "https://odd.example/only-a-link" },
    { description: "Only a description, with no title at all." },
    { guid: "only-a-guid" },
    { guid: "https://odd.example/permalink", title: "Its guid is its link" },
  ]);
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("odd")]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  feed.serves(document);
  await Promise.all(
    ["Only a title", "only-a-link", "Only a description", "Its guid is its link"].map((text) =>
      alice.hears(text),
    ),
  );
  const before = (await alice.history()).length;
  await feed.isPolled(2);
  expect(await alice.history()).toHaveLength(before);
  expect(new Set(alice.client.heard.map(({ id }) => id)).size).toBe(before);
  expect(alice.client.heard).toHaveLength(before);
  await witness.stillHears();
});

test("characters that XML forbids, and those that turn the reading direction, never reach anybody", async () => {
  const title = "Bell\u0007 and \u0000null, &#7; &#x1F; &#xFFFE; back\u202ewards";
  const document = `<?xml version="1.0"?><rss version="2.0"><channel><title>odd</title><item><guid>1</guid><title>${title}</title></item></channel></rss>`;
  const { alice, items } = await historyWith(document, 1);
  const heard = await alice.hears("Bell");
  for (const text of [items[0].title, heard.body]) {
    expect(text).toContain("backwards");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\u202a-\u202e]/);
  }
});

test("a title of a million characters is cut, and comes", async () => {
  const long = `${"Very long ".repeat(100_000)}title`;
  const { alice, items } = await historyWith(rss("odd", [{ guid: "long", title: long }]), 1);
  expect(items[0].title.length).toBeLessThanOrEqual(500);
  const { body } = await alice.hears("Very long");
  expect(body.length).toBeLessThan(1_000);
  expect(body).toContain("…");
});

test("markup in a title or a summary arrives as the text that it stands for", async () => {
  const document = rss("odd", [
    {
      guid: "1",
      title: "<b>Bold</b> &amp; <script>alert(1)</script>plain",
      description: "<p>One</p><img src=x onerror=alert(1)>two",
    },
  ]);
  const { items } = await historyWith(document, 1);
  expect(items[0].title).toMatch(/^Bold & *plain$/);
  expect(items[0].summary).not.toMatch(/[<>]|alert/);
});

test("entities that a document defines for itself stay words: ten lines do not become ten thousand million", async () => {
  const levels = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`);
  const document = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha"><!ENTITY file SYSTEM "file:///etc/passwd">${levels.join("")}]>
<rss version="2.0"><channel><title>odd</title><item><guid>1</guid><title>Ha &l10; &file;</title></item></channel></rss>`;
  const { items } = await historyWith(document, 1);
  expect(items[0].title).toMatch(/^Ha/);
  expect(items[0].title).not.toMatch(/haha|root:/);
});

test("a hundred and fifty new items at once come all, in their order", async () => {
  const titles = Array.from({ length: 150 }, (_, n) => `Item number ${n + 1}.`);
  const document = rss("odd", titles.map((title) => ({ guid: title, title })).toReversed());
  const { alice } = await historyWith(document, 150);
  await alice.hears("Item number 150.", { withinMs: 20_000 });
  expect(alice.client.heard.map(({ body }) => body.split("\n")[0])).toEqual(titles);
});
