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
  /** `xml:base` of the item. */
  readonly base: string | null;
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

/** The texts among `values`, trimmed; empty when there are none. */
export function textsOf(values: readonly unknown[] | null | undefined): string[] {
  return (values ?? []).map(textOrNull).filter((text) => text !== null);
}
