/**
 * How a text is cut into the segments that are paid for (3GPP TS 23.038 §6.2 and §6.1.2, TS 23.040 §9.2.3.24.1).
 *
 *     all of it in the GSM alphabet ─▶ GSM-7: 160 septets, or 153 in each of several; ^{}\[~]|€ take two
 *     anything else                 ─▶ UCS-2: 70 UTF-16 units, or 67 in each of several
 *
 * A character is never cut in two, so a segment can end one unit early.
 */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENDED = new Set("\f^{}\\[~]|€");
const CAPACITY = {
  "GSM-7": { alone: 160, each: 153 },
  "UCS-2": { alone: 70, each: 67 },
} as const;

/** Characters that the GSM alphabet lacks, and what readers take for the same. They would more than double the price. */
const LIKENESS: Readonly<Record<string, string>> = {
  "‘": "'",
  "’": "'",
  "‚": "'",
  "“": '"',
  "”": '"',
  "„": '"',
  "«": '"',
  "»": '"',
  "–": "-",
  "—": "-",
  "−": "-",
  "‐": "-",
  "‑": "-",
  "…": "...",
  "•": "-",
  "\u00a0": " ",
  "\u202f": " ",
  "\u2009": " ",
  "\t": " ",
};

export interface Segments {
  readonly encoding: keyof typeof CAPACITY;
  readonly count: number;
}

/** The encoding of `text` and in how many segments it travels; an empty text takes one. */
export function segmentsOf(text: string): Segments {
  const encoding = isGsm(text) ? "GSM-7" : "UCS-2";
  const sizes = [...text].map((character) =>
    encoding === "GSM-7" ? septetsOf(character) : character.length,
  );
  const { alone, each } = CAPACITY[encoding];
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return { encoding, count: all <= alone ? 1 : packed(sizes, each) };
}

/** `text` with typographic characters replaced by those of the GSM alphabet. */
export function plainTypography(text: string): string {
  return [...text].map((character) => LIKENESS[character] ?? character).join("");
}

function isGsm(text: string): boolean {
  for (const character of text) if (!BASIC.has(character) && !EXTENDED.has(character)) return false;
  return true;
}

function septetsOf(character: string): number {
  return EXTENDED.has(character) ? 2 : 1;
}

function packed(sizes: readonly number[], each: number): number {
  let count = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > each) {
      count += 1;
      used = 0;
    }
    used += size;
  }
  return count;
}
