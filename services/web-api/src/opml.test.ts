import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { MOST_FEEDS, opmlOf, readOpml } from "./opml-document.ts";
import { Problem } from "./problem.ts";
import { FEED, openTheatre, type Theatre } from "./theatre.ts";

const outline = (url: string, title = "") => `<outline type="rss" text="${title}" xmlUrl="${url}"/>`;
const opml = (...outlines: string[]) =>
  `<?xml version="1.0"?><opml version="2.0"><head/><body>${outlines.join("\n")}</body></opml>`;

test("feeds are read in their order, folders opened, each address once", () => {
  const folder = `<outline text="Flats">${outline("https://b.example/feed", "B &amp; co")}<outline text="c"/></outline>`;
  expect(
    readOpml(opml(outline("https://a.example/feed"), folder, outline("https://a.example/feed", "again"))),
  ).toEqual([
    { url: "https://a.example/feed", title: null },
    { url: "https://b.example/feed", title: "B & co" },
  ]);
});

test("what was written is read again", () => {
  const feeds = [{ url: "https://a.example/?a=1&b=<2>", title: 'A "feed" & co' }];
  expect(readOpml(opmlOf("mine", feeds))).toEqual(feeds);
});

test.each([
  ["", "no OPML document"],
  ["<rss version='2.0'/>", "no OPML document"],
  [opml('<outline text="a folder"/>'), "There is no feed"],
  [opml(`<outline ${"a".repeat(30_000)}="1"/>`), "no OPML document"],
  [
    opml(...Array.from({ length: MOST_FEEDS + 1 }, (_, at) => outline(`https://a.example/${at}`))),
    "5001 feeds",
  ],
])("a document of another kind or size is refused with a sentence", (text, sentence) => {
  expect(() => readOpml(text)).toThrow(sentence);
});

test("whatever is sent is read or refused", () => {
  const piece = fc.constantFrom(
    "<opml",
    "<body>",
    "<outline",
    " xmlUrl='http://a.b/'",
    "/>",
    ">",
    "</",
    "&amp;",
    "<!DOCTYPE",
    "a",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
      try {
        readOpml(pieces.join(""));
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
  );
});

let theatre: Theatre;
let headers: Record<string, string>;
beforeEach(async () => {
  theatre = await openTheatre();
  headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
});

const imports = (payload: string) =>
  theatre.app.inject({
    method: "POST",
    url: "/v1/opml",
    headers: { ...headers, "content-type": "text/x-opml" },
    payload,
  });

test("an import says of each feed what became of it, and does not wait for any", async () => {
  await theatre.app.inject({ method: "POST", url: "/v1/subscriptions", headers, payload: { url: FEED } });
  const answer = await imports(
    opml(outline("https://a.example/feed", "A"), outline(FEED), outline("javascript:alert(1)")),
  );
  expect(answer.statusCode).toBe(200);
  expect(answer.json().items).toMatchObject([
    { url: "https://a.example/feed", title: "A", outcome: "subscribed", problem: null },
    { url: FEED, outcome: "known" },
    { url: "javascript:alert(1)", outcome: "refused", id: null, problem: expect.any(String) },
  ]);
  expect(theatre.avatars.asked.at(-1)?.args).toMatchObject({ atOnce: true });
});

test("the export lists the feeds, and no publishers", async () => {
  await imports(opml(outline("https://a.example/feed", "A")));
  const subscriptions = theatre.avatars.users.get("alice")?.subscriptions;
  const [first] = subscriptions?.values() ?? [];
  if (first !== undefined) subscriptions?.set("push.1", { ...first, id: "push.1", source: "tidings:push.1" });
  const answer = await theatre.app.inject({ url: "/v1/opml", headers });
  expect(answer.headers["content-type"]).toContain("text/x-opml");
  expect(readOpml(answer.body)).toEqual([{ url: "https://a.example/feed", title: "A" }]);
});

test("imports come at most five a minute", async () => {
  const statuses = [];
  for (let time = 0; time < 6; time++) statuses.push((await imports(opml(outline(FEED)))).statusCode);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
});
