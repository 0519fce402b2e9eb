import { expect, test } from "vitest";
import { feedCandidates, feedsInHeader, feedsNamedBy, usualFeeds } from "./discover.ts";

const PAGE = "https://site.example/blog/post.html";

test("a page names its feeds in its head, relative or not, comments last", () => {
  const html = `<!doctype html><html><head>
    <LINK REL="alternate" TYPE="application/rss+xml" TITLE="Post » Comments Feed" HREF="/blog/post/feed/">
    <link rel='alternate' type='application/atom+xml' href='atom.xml'>
    <link rel="alternate stylesheet" type="text/css" href="/dark.css">
    <link rel="alternate" hreflang="de" href="/de/">
    <link rel=alternate type="application/feed+json; charset=utf-8" href=https://cdn.example/feed.json>`;
  expect(feedsNamedBy(html, PAGE)).toEqual([
    "https://site.example/blog/atom.xml",
    "https://cdn.example/feed.json",
    "https://site.example/blog/post/feed/",
  ]);
});

test("relative addresses follow the page's base", () => {
  const html = `<base href="https://base.example/x/"><link rel="alternate" type="application/rss+xml" href="feed">`;
  expect(feedsNamedBy(html, PAGE)).toEqual(["https://base.example/x/feed"]);
});

test("what is no web address is not named", () => {
  const html = `<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
    <link rel="alternate" type="application/rss+xml" href=""><link rel="alternate" type="application/rss+xml" href="http://[">`;
  expect(feedsNamedBy(html, PAGE)).toEqual([]);
});

test("the Link header names feeds too", () => {
  const header = `<https://site.example/>; rel="canonical", </feed.xml>; rel="alternate"; type="application/rss+xml"; title="a, b"`;
  expect(feedsInHeader(header, PAGE)).toEqual(["https://site.example/feed.xml"]);
});

test("a page that names nothing is tried at the usual places, a bounded number of them", () => {
  expect(usualFeeds(PAGE)).toContain("https://site.example/blog/feed");
  const candidates = feedCandidates([], [], "https://site.example/");
  expect(candidates.slice(0, 2)).toEqual(["https://site.example/feed", "https://site.example/rss.xml"]);
  expect(feedCandidates([], [], PAGE).length).toBe(8);
});

test("what the page names is tried once each, never the page itself", () => {
  expect(
    feedCandidates(["https://a.example/1", PAGE], ["https://a.example/1", "https://a.example/2"], PAGE),
  ).toEqual(["https://a.example/1", "https://a.example/2"]);
});

test("a page of nothing but open tags is searched in no time", () => {
  const startedAt = performance.now();
  expect(feedsNamedBy("<b>".repeat(500_000), PAGE)).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
