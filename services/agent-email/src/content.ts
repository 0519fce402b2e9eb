/**
 * What a message says, as plain text and as HTML that loads nothing, runs nothing and links to the web alone.
 *
 *     Two rooms, quiet street          title          a digest:  2 notifications
 *
 *     South side, balcony.             summary                   1. Two rooms, quiet street
 *                                                                   Rooms · 2026-11-25 07:12 UTC
 *     Rooms · 2026-11-25 07:12 UTC     source, time                 https://example.org/1
 *     https://example.org/1            link
 *                                                                2. …
 *     --
 *     Reply with ack, …                hints
 */
import { answersText, localTime, webLink } from "@tidings/agent";
import { cleanLine, cleanText, type DigestMember, type Dispatch } from "@tidings/protocol";

const MAX_TITLE_CHARS = 500;
const MAX_SOURCE_CHARS = 120;
const HINTS =
  "Reply with ack (I have seen it), snooze 1h (tell me again later), more (send me the rest) or stop (no more mail).";

/** Title, link and where it came from and when: one notification of a message. */
interface Entry {
  readonly title: string;
  readonly link: string | null;
  readonly about: string;
}

export interface Content {
  readonly title: string;
  readonly summary: readonly string[];
  /** One, or those of a digest. */
  readonly entries: readonly Entry[];
  readonly isDigest: boolean;
  readonly hints: string | null;
}

/** The source of what Tidings itself says, such as a code by which an address is verified: no answer is expected to it. */
export const OWN_SOURCE = "tidings";

/** What the message of `dispatch` is to say, all of it cleaned. */
export function contentOf({
  notification,
  sourceTitle,
  heldSinceAt,
  members,
  zone = "UTC",
}: Dispatch): Content {
  const isOwn = notification.source === OWN_SOURCE;
  const title = cleanLine(notification.title, MAX_TITLE_CHARS) || "(no title)";
  const { options } = notification;
  const answers = options === undefined ? "" : `Reply with ${answersText(options)}. `;
  const hints = isOwn ? null : answers + HINTS;
  if (members !== undefined)
    return {
      title: `${members.length} ${members.length === 1 ? "notification" : "notifications"}`,
      summary: [],
      entries: members.map((member) => entryOf(member, zone)),
      isDigest: true,
      hints,
    };
  const about = [
    cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS),
    cleanLine(notification.author ?? "", MAX_SOURCE_CHARS),
    localTime(notification.publishedAt ?? notification.receivedAt, zone),
    heldSinceAt === null ? "" : `held since ${localTime(heldSinceAt, zone)}`,
  ];
  return {
    title,
    summary: linesOf(notification.summary ?? ""),
    entries: [{ title, link: webLink(notification.link), about: isOwn ? "" : joined(about) }],
    isDigest: false,
    hints,
  };
}

function entryOf({ title, link, sourceTitle, receivedAt }: DigestMember, zone: string): Entry {
  return {
    title: cleanLine(title, MAX_TITLE_CHARS) || "(no title)",
    link: webLink(link),
    about: joined([cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS), localTime(receivedAt, zone)]),
  };
}

/** The content as plain text, lines ended by `\n`. */
export function textOf({ title, summary, entries, isDigest, hints }: Content): string {
  const blocks = [title, summary.join("\n")];
  if (isDigest)
    blocks.push(
      ...entries.map((entry, index) => lines(`${index + 1}. ${entry.title}`, ...under(entry, "   "))),
    );
  else blocks.push(...entries.map((entry) => lines(...under(entry, ""))));
  // The line before a signature, which mail programs leave out of a reply: RFC 3676 §4.3.
  if (hints !== null) blocks.push(`-- \n${hints}`);
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function under({ link, about }: Entry, indent: string): string[] {
  return [about, link ?? ""].filter((line) => line !== "").map((line) => indent + line);
}

/** The content as an HTML document. */
export function htmlOf({ title, summary, entries, isDigest, hints }: Content): string {
  const list = isDigest
    ? ["<ol>", ...entries.map((entry) => `<li>${titleHtml(entry)}${aboutHtml(entry)}</li>`), "</ol>"]
    : entries
        .filter(isWorthALine)
        .map(
          (entry) => `<p>${entry.link === null ? "" : anchor(entry.link, entry.link)}${aboutHtml(entry)}</p>`,
        );
  return lines(
    "<!doctype html>",
    `<html><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body>`,
    `<h1 style="font-size:1.2em">${escaped(title)}</h1>`,
    ...(summary.length === 0 ? [] : [`<p>${summary.map(escaped).join("<br>\n")}</p>`]),
    ...list,
    ...(hints === null ? [] : [`<hr><p><small>${escaped(hints)}</small></p>`]),
    "</body></html>",
    "",
  );
}

function isWorthALine({ link, about }: Entry): boolean {
  return link !== null || about !== "";
}

function titleHtml({ title, link }: Entry): string {
  return link === null ? escaped(title) : anchor(link, title);
}

function aboutHtml({ about }: Entry): string {
  return about === "" ? "" : `<br>\n<small>${escaped(about)}</small>`;
}

function anchor(link: string, text: string): string {
  return `<a href="${escaped(link)}" rel="noreferrer">${escaped(text)}</a>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

function linesOf(text: string): string[] {
  const cleaned = cleanText(text).split(/\r\n|[\n\r\u2028\u2029]/);
  return cleaned.map((line) => line.trimEnd()).filter((line) => line !== "");
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}

function lines(...all: readonly string[]): string {
  return all.join("\n");
}
