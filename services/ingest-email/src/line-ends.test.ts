import { expect, test } from "vitest";
import { hasBareLineEnd } from "./line-ends.ts";

test.each([
  ["a\r\nb\r\n", false],
  ["", false],
  ["a\nb", true],
  ["\n", true],
  ["a\rb\r\n", true],
  ["a\r\n.\n.\r\n", true],
  ["a\r", true],
])("%j: %s", (text, isBare) => {
  expect(hasBareLineEnd(Buffer.from(text))).toBe(isBare);
});
