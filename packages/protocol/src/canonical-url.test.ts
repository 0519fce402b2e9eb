import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalFeedUrl, FeedAddressError } from "./canonical-url.ts";

test.each([
  ["HTTP://Example.ORG:80/Feed#top", "http://example.org/Feed"],
  ["https://example.org", "https://example.org/"],
  ["https://example.org./a/../b", "https://example.org/b"],
  ["example.org/feed", "https://example.org/feed"],
  ["localhost:8090/feed", "https://localhost:8090/feed"],
  ["feed:https://example.org/a", "https://example.org/a"],
  ["feed://example.org/a", "http://example.org/a"],
  ["https://example.org/%7euser/%c3%a9", "https://example.org/~user/%C3%A9"],
  ["https://example.org/?", "https://example.org/"],
  ["  https://example.org/a  ", "https://example.org/a"],
])("%s is written %s", (typed, canonical) => {
  expect(canonicalFeedUrl(typed)).toBe(canonical);
});

test.each([
  "ftp://example.org/",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "https://a:b@example.org/",
  "",
  "http://",
  `https://e.org/${"x".repeat(2_000)}`,
])("%s is refused with a sentence", (typed) => {
  expect(() => canonicalFeedUrl(typed)).toThrow(FeedAddressError);
});

test("the canonical address of a canonical address is itself", () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      const canonical = canonicalFeedUrl(url);
      expect(canonicalFeedUrl(canonical)).toBe(canonical);
    }),
  );
});
