/** Filters as functions: compiled once for a document, asked for each notification. */
import { compilePattern, type Field, type Filter, type Notification } from "@tidings/protocol";

/** The texts of one notification, prepared when a filter first asks for them. */
export interface Texts {
  of(field: Field | undefined): string;
  lowerOf(field: Field | undefined): string;
}

export type Test = (texts: Texts) => boolean;

/** The filter as a test. The filter has been checked: an expression that is none throws PatternError. */
export function compileFilter(filter: Filter): Test {
  const { all, any, not, contains, matches, in: field } = filter;
  if (all !== undefined) return compileAll(all);
  if (any !== undefined) return compileAny(any);
  if (not !== undefined) {
    const test = compileFilter(not);
    return (texts) => !test(texts);
  }
  if (matches !== undefined) {
    const test = compilePattern(matches);
    return (texts) => test(texts.of(field));
  }
  const wanted = (contains ?? "").toLowerCase();
  return (texts) => texts.lowerOf(field).includes(wanted);
}

function compileAll(parts: readonly Filter[]): Test {
  const tests = parts.map(compileFilter);
  return (texts) => tests.every((test) => test(texts));
}

function compileAny(parts: readonly Filter[]): Test {
  const tests = parts.map(compileFilter);
  return (texts) => tests.some((test) => test(texts));
}

/** The texts of `notification`; without a field it is title and text. What is missing is empty. */
export function textsOf(notification: Notification): Texts {
  const lower = new Map<Field | undefined, string>();
  const of = (field: Field | undefined) => textOf(notification, field);
  const lowerOf = (field: Field | undefined) => {
    let text = lower.get(field);
    if (text === undefined) {
      text = of(field).toLowerCase();
      lower.set(field, text);
    }
    return text;
  };
  return { of, lowerOf };
}

function textOf(
  { title, summary, link, author, categories }: Notification,
  field: Field | undefined,
): string {
  switch (field) {
    case undefined:
      return `${title}\n${summary ?? ""}`;
    case "title":
      return title;
    case "text":
      return summary ?? "";
    case "link":
      return link ?? "";
    case "author":
      return author ?? "";
    case "category":
      return categories?.join("\n") ?? "";
  }
}
