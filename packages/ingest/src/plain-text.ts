import { cleanText, shorten } from "@tidings/protocol";
import { compile } from "html-to-text";

/** Markup beyond this is not looked at: the text wanted is much shorter (characters). */
const MAX_HTML_CHARS = 8_000;
const MAX_TITLE_HTML_CHARS = 4_000;

/** Elements that people put into titles. Others are taken literally: "Vec<String>" is a title too. */
const TITLE_MARKUP =
  /<\/?(?:a|abbr|b|big|br|center|cite|code|del|div|em|font|h[1-6]|i|img|ins|kbd|li|mark|nobr|ol|p|q|s|samp|small|span|strike|strong|sub|sup|tt|u|ul|var|wbr)(?:\s[^<>]*)?\/?>/i;
const CHARACTER_REFERENCE = /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});/i;

/** Text that begins with markup was escaped once too often. */
const ESCAPED_TWICE = /^\s*<(?:!--|(?:div|p|span|a|b|strong|em|i|img|ul|ol|table|h[1-6]|br)[\s/>])/i;

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];

const convert = compile({
  wordwrap: false,
  limits: { maxDepth: 100, ellipsis: "" },
  selectors: [
    { selector: "a", options: { ignoreHref: true } },
    { selector: "img", format: "skip" },
    { selector: "hr", format: "skip" },
    ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** The text of `html` as people read it, at most `maxChars`: paragraphs apart, no addresses, no pictures. */
export function textOfHtml(html: string, maxChars: number): string {
  const head = html.slice(0, MAX_HTML_CHARS);
  const text = /[<&]/.test(head) ? convert(head) : head;
  return tidyText(ESCAPED_TWICE.test(text) ? convert(text) : text, maxChars);
}

/** `text`, which holds no markup, cleaned and cut to `maxChars`. */
export function tidyText(text: string, maxChars: number): string {
  const tidy = cleanText(text.slice(0, MAX_HTML_CHARS))
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n");
  return shorten(tidy.trim(), maxChars);
}

/** A title that may or may not be HTML (RSS does not say) without its markup and character references. */
export function textOfTitle(title: string): string {
  const head = title.slice(0, MAX_TITLE_HTML_CHARS);
  if (TITLE_MARKUP.test(head)) return convert(head);
  return CHARACTER_REFERENCE.test(head) ? convert(head.replaceAll("<", "&lt;")) : head;
}
