import xml from "@xmpp/xml";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cleanLine, cleanText, isSendable, shorten } from "./text.ts";

const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
  )
  .map((parts) => parts.join(""));

test("cleaned text may always travel, and cleaning it again changes nothing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const clean = cleanText(text);
      expect(isSendable(clean)).toBe(true);
      expect(cleanText(clean)).toBe(clean);
      expect(() => xml("body", {}, clean).toString()).not.toThrow();
    }),
  );
});

test("a cleaned line is one line, within its length, and may travel", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, maxChars) => {
      const line = cleanLine(text, maxChars);
      expect(line.length).toBeLessThanOrEqual(maxChars);
      expect(line).not.toMatch(/[\r\n\t]/);
      expect(isSendable(line)).toBe(true);
    }),
  );
});

test("text is cut at a code point, with an ellipsis", () => {
  expect(shorten("abc", 3)).toBe("abc");
  expect(shorten("abcd", 3)).toBe("ab…");
  expect(shorten("a🏡🏡", 4)).toBe("a🏡…");
  expect(shorten("a🏡🏡", 3)).toBe("a…");
});

test("characters that close a stream, or deceive the eye, are taken out", () => {
  expect(isSendable("a\u0000")).toBe(false);
  expect(isSendable("\ud800")).toBe(false);
  expect(cleanText("a\u0001b\ufffec\u202ed")).toBe("abcd");
  expect(cleanText("tab\tand\nline")).toBe("tab\tand\nline");
  expect(cleanText("\ud800")).toBe("\ufffd");
});
