/** Documents that are nearly right: real ones, damaged the way transports, generators and attackers damage them. */
import type { Random } from "../crash/random.ts";

/** Longest mutant (bytes). */
const LONGEST = 2_000_000;
const BITS: readonly string[] = [
  "<",
  ">",
  "&",
  "]]>",
  "<![CDATA[",
  "<!--",
  "-->",
  "<!DOCTYPE x [<!ENTITY a 'b'>]>",
  "&a;&#0;&#x1F4A9;&#xFFFFFFFF;&lt;p",
  "\0\u0001\uFFFE",
  "\u202E",
  "\uFEFF",
  '"',
  "{",
  "[",
  "\r\n\r\n",
  "\r",
  "\n ",
  "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
  "Content-Transfer-Encoding: base64\r\n",
  "=?utf-8?B?////?=",
  "<item><title>",
  "</channel></rss>",
  "<entry xml:base='http://['>",
  "1e999",
  "99999999999999999999",
];

/** `document` with one to eight changes that `random` decides. */
export function mutate(document: Buffer, random: Random): Buffer {
  let mutant = document;
  for (let left = random.whole(1, 8); left > 0; left--) mutant = random.pick(CHANGES)(mutant, random);
  return mutant.subarray(0, LONGEST);
}

type Change = (document: Buffer, random: Random) => Buffer;

const CHANGES: readonly Change[] = [
  flipBit,
  overwrite,
  cutEnd,
  cutMiddle,
  repeatPart,
  insertBit,
  insertMany,
  swapParts,
];

function flipBit(document: Buffer, random: Random): Buffer {
  if (document.length === 0) return document;
  const changed = Buffer.from(document);
  const at = random.whole(0, changed.length - 1);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.whole(0, 7));
  return changed;
}

function overwrite(document: Buffer, random: Random): Buffer {
  const [from, to] = span(document, random, 16);
  const noise = Buffer.from(Array.from({ length: to - from }, () => random.whole(0, 255)));
  return Buffer.concat([document.subarray(0, from), noise, document.subarray(to)]);
}

function cutEnd(document: Buffer, random: Random): Buffer {
  return document.subarray(0, random.whole(0, document.length));
}

function cutMiddle(document: Buffer, random: Random): Buffer {
  const [from, to] = span(document, random, 2_000);
  return Buffer.concat([document.subarray(0, from), document.subarray(to)]);
}

function repeatPart(document: Buffer, random: Random): Buffer {
  const [from, to] = span(document, random, 2_000);
  const times = random.pick([1, 2, 10, 200]);
  const part = document.subarray(from, to);
  return Buffer.concat([
    document.subarray(0, to),
    ...Array.from({ length: times }, () => part),
    document.subarray(to),
  ]);
}

function insertBit(document: Buffer, random: Random): Buffer {
  return inserted(document, random, random.pick(BITS));
}

function insertMany(document: Buffer, random: Random): Buffer {
  return inserted(document, random, random.pick(BITS).repeat(random.pick([50, 1_000, 10_000])));
}

function swapParts(document: Buffer, random: Random): Buffer {
  const [from, to] = span(document, random, 2_000);
  const end = Math.min(document.length, to + random.whole(0, 2_000));
  const parts = [
    [0, from],
    [to, end],
    [from, to],
    [end, document.length],
  ] as const;
  return Buffer.concat(parts.map(([start, stop]) => document.subarray(start, stop)));
}

function inserted(document: Buffer, random: Random, text: string): Buffer {
  const at = random.whole(0, document.length);
  return Buffer.concat([document.subarray(0, at), Buffer.from(text), document.subarray(at)]);
}

function span(document: Buffer, random: Random, longest: number): [number, number] {
  const from = random.whole(0, document.length);
  return [from, Math.min(document.length, from + random.whole(0, longest))];
}
