import fc from "fast-check";
import { expect, test } from "vitest";
import { LinkError } from "./errors.ts";
import { WholeMarkup } from "./whole-markup.ts";

test("a text is passed on when the tag behind it has come, and nothing that is whole waits", () => {
  const markup = new WholeMarkup();
  expect(markup.push("<message><body>Two rooms, ")).toBe("<message><body>");
  expect(markup.push("quiet ")).toBe("");
  expect(markup.push("street</body></message><mess")).toBe("Two rooms, quiet street</body></message>");
  expect(markup.push("age/>")).toBe("<message/>");
});

test("however a stream is cut, all of it is passed on, in pieces that end with a tag", () => {
  const piece = fc.constantFrom("<a>", "</a>", "text &quot;", "<b c='d'/>", " ", "x".repeat(50));
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(200)), (pieces, cuts) => {
      const whole = pieces.join("");
      const markup = new WholeMarkup();
      const ends = [...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      const passed = ends.map((end, at) => markup.push(whole.slice(ends[at - 1] ?? 0, end)));
      expect(passed.join("")).toBe(whole.slice(0, whole.lastIndexOf(">") + 1));
      for (const part of passed) expect(part === "" || part.endsWith(">")).toBe(true);
    }),
  );
});

test("a text that does not end is given up", () => {
  const markup = new WholeMarkup();
  expect(() => {
    for (let sent = 0; sent < 5_000; sent++) markup.push("x".repeat(1_000));
  }).toThrow(LinkError);
});
