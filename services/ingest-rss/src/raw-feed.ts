/** A feed as a parser found it, before anything is cleaned, resolved or cut. */
export interface RawFeed {
  readonly title: string | null;
  readonly link: string | null;
  /** `xml:base` of the document. */
  readonly base: string | null;
  /** In the order of the document. */
  readonly items: readonly RawItem[];
}

export interface RawItem {
  readonly guid: string | null;
  readonly title: RawText | null;
  readonly link: string | null;
  readonly summary: RawText | null;
  readonly author: string | null;
  readonly date: string | null;
  readonly categories: readonly string[];
  readonly enclosures: readonly RawEnclosure[];
  /** Address of a picture. */
  readonly image: string | null;
  /** `xml:base` of the item. */
  readonly base: string | null;
}

export interface RawEnclosure {
  readonly url: string;
  readonly type: string | null;
  /** Bytes, as far as it is a number. */
  readonly length: number | null;
}

/** `unknown` is what RSS gives: text or HTML, it does not say. */
export interface RawText {
  readonly text: string;
  readonly form: "plain" | "html" | "unknown";
}

/** `value` trimmed; null when it is no text or empty. */
export function textOrNull(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? null : text;
}

/** `value` as text of the given form; null when there is none. */
export function rawText(value: unknown, form: RawText["form"]): RawText | null {
  const text = textOrNull(value);
  return text === null ? null : { text, form };
}

/** A file as one of the formats names it; empty when there is no address. */
export function rawEnclosure(url: unknown, type: unknown, length: unknown): RawEnclosure[] {
  const address = textOrNull(url);
  if (address === null) return [];
  const bytes = Number(length ?? Number.NaN);
  return [
    { url: address, type: textOrNull(type), length: Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null },
  ];
}

/** The texts among `values`, trimmed; empty when there are none. */
export function textsOf(values: readonly unknown[] | null | undefined): string[] {
  return (values ?? []).map(textOrNull).filter((text) => text !== null);
}
