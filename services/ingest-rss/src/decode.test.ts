import { expect, test } from "vitest";
import { decodeText } from "./decode.ts";

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  );
const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>`;
const UTF8_E = [0xc3, 0xa9];

test("a byte order mark says more than anything else, and is not part of the text", () => {
  expect(decodeText(bytes([0xef, 0xbb, 0xbf], UTF8_E), "text/xml; charset=iso-8859-1")).toBe("é");
  expect(decodeText(Buffer.from("\ufeffé", "utf16le"), "")).toBe("é");
  expect(decodeText(bytes([0xfe, 0xff, 0x00, 0xe9]), "")).toBe("é");
});

test("HTTP says more than the document", () => {
  expect(decodeText(bytes(declared("iso-8859-1"), [0xcf, 0xf0]), "text/xml; charset=windows-1251")).toContain(
    "Пр",
  );
});

test.each([
  ["iso-8859-1", [0xe9], "é"],
  ["windows-1251", [0xcf, 0xf0], "Пр"],
  ["koi8-r", [0xf0, 0xd2], "Пр"],
  ["shift_jis", [0x93, 0xfa], "日"],
  ["gbk", [0xc4, 0xe3], "你"],
  ["utf-8", UTF8_E, "é"],
])("the document's declaration of %s is followed", (encoding, body, expected) => {
  expect(decodeText(bytes(declared(encoding), body), "application/xml")).toBe(
    `${declared(encoding)}${expected}`,
  );
});

test("UTF-8 that is declared as Latin-1 is read as UTF-8, and Latin-1 declared as UTF-8 as what it is", () => {
  expect(decodeText(bytes("<t>", UTF8_E), "text/xml; charset=ISO-8859-1")).toBe("<t>é");
  const french =
    "<t>Le d\xe9bat est ouvert depuis l'\xe9t\xe9 \xe0 l'Assembl\xe9e, o\xf9 tout a commenc\xe9</t>";
  expect(decodeText(bytes(declared("utf-8"), french), "")).toContain("débat est ouvert depuis l'été à");
});

test("without a word about it the bytes decide", () => {
  expect(decodeText(bytes("<t>", UTF8_E), "")).toBe("<t>é");
  const russian = Buffer.from([
    ...Buffer.from("<t>"),
    ...[0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x2c, 0x20, 0xec, 0xe8, 0xf0],
  ]);
  expect(decodeText(russian, "")).toBe("<t>Привет, мир");
});

test("UTF-16 without a mark is known by its first character", () => {
  expect(decodeText(Buffer.from("<rss>é", "utf16le"), "")).toBe("<rss>é");
});

test("an encoding that nobody knows does not stop the reading", () => {
  expect(decodeText(bytes(declared("klingon"), UTF8_E), "text/xml; charset=vulcan")).toContain("é");
  expect(decodeText(new Uint8Array(), "")).toBe("");
});
