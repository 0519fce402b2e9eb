import { expect, test } from "vitest";
import { freshForMs } from "./freshness.ts";

const NOW = Date.parse("Wed, 25 Nov 2026 12:00:00 GMT");

test.each([
  [{}, 0],
  [{ "cache-control": "public, max-age=600" }, 600],
  [{ "cache-control": 'Max-Age="600"' }, 600],
  [{ "cache-control": "max-age=600", age: "200" }, 400],
  [{ "cache-control": "max-age=600", age: "900" }, 0],
  [{ "cache-control": "s-maxage=600" }, 0],
  [{ "cache-control": "no-cache, max-age=600" }, 0],
  [{ "cache-control": ["private", "max-age=60"] }, 60],
  [{ "cache-control": "max-age=-1" }, 0],
  [{ "cache-control": "max-age=31536000" }, 86_400],
  [{ expires: "Wed, 25 Nov 2026 12:10:00 GMT" }, 600],
  // A server whose clock is an hour behind.
  [{ expires: "Wed, 25 Nov 2026 11:10:00 GMT", date: "Wed, 25 Nov 2026 11:00:00 GMT" }, 600],
  [{ expires: "0" }, 0],
  [{ expires: "Wed, 25 Nov 2026 13:00:00 GMT", "cache-control": "max-age=60" }, 60],
])("%j is fresh for %d s", (headers, seconds) => {
  expect(freshForMs(headers, NOW)).toBe(seconds * 1_000);
});
