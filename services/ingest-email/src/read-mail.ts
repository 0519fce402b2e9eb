/**
 * Mail as something to tell: what its subject, its text and its first link say. Read within limits, whoever sent it; nothing
 * in it is fetched or run, and what is attached is named and not kept.
 */
import { createHash } from "node:crypto";
import { textOfHtml, tidyText } from "@tidings/ingest";
import { type AnswerAddress, isFromMachine } from "@tidings/mail";
import { cleanLine, ITEM_LIMITS, type Item, itemId, shorten } from "@tidings/protocol";
import { type ParsedMail, simpleParser } from "mailparser";
import { answerTo, soleAddress } from "./answer-to.ts";
import { confirmationIn } from "./confirmation.ts";
import { unsubscribeIn } from "./list-unsubscribe.ts";

/** More is not worth a block of the event loop (characters). */
const MAX_HTML_CHARS = 200_000;
const MAX_NAMED = 10;
const MAX_NAME_CHARS = 80;

export interface ReadMail {
  /** What makes it the same mail again: its Message-ID, or all of it where it has none. */
  readonly identity: string;
  readonly item: Omit<Item, "id">;
  /** Times that it has been passed on (Received lines). */
  readonly hops: number;
  /** Tidings itself has sent it. */
  readonly isOwn: boolean;
  /** The one address in From; empty when there is none, or more than one. */
  readonly from: string;
  /** Where an answer goes, if the sender is who they say; null when a machine wrote it, or wants none. */
  readonly answer: Omit<AnswerAddress, "from"> | null;
}

/** Reads the message `raw`. Rejects with what the parser makes of something that it cannot read. */
export async function readMail(raw: Buffer, { ownListDomain, nowAt }: ReadContext): Promise<ReadMail> {
  const parsed = await simpleParser(raw, {
    skipImageLinks: true,
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    maxHtmlLengthToParse: MAX_HTML_CHARS,
    maxHeadSize: 262_144,
    maxChildNodes: 100,
    checksumAlgo: false,
  });
  const lines = (name: string) => parsed.headerLines.filter(({ key }) => key === name);
  const messageId = parsed.messageId?.trim();
  const from = soleAddress(parsed.from);
  const listId = String(lines("list-id")[0]?.line ?? "").toLowerCase();
  return {
    identity: messageId ? `id ${messageId}` : `raw ${createHash("sha256").update(raw).digest("hex")}`,
    item: itemOf(parsed, nowAt),
    hops: lines("received").length,
    isOwn:
      listId.includes(`.${ownListDomain.toLowerCase()}>`) ||
      listId.includes(`<${ownListDomain.toLowerCase()}>`),
    from,
    answer: isFromMachine((name) => String(lines(name)[0]?.line ?? "")) ? null : answerTo(parsed, from),
  };
}

export interface ReadContext {
  /** The domain in the List-Id of what agent-email sends. */
  readonly ownListDomain: string;
  readonly nowAt: number;
}

/** The item of the mail for the inbox whose source is `source`. */
export function itemFor(source: string, { identity, item }: ReadMail): Item {
  return { id: itemId(source, identity), ...item };
}

function itemOf(parsed: ParsedMail, nowAt: number): Omit<Item, "id"> {
  const html = typeof parsed.html === "string" ? parsed.html : "";
  const plain = tidyText(parsed.text ?? "", ITEM_LIMITS.summary);
  const body = plain || textOfHtml(html, ITEM_LIMITS.summary);
  const subject = cleanLine(parsed.subject ?? "", ITEM_LIMITS.title);
  const confirmation = confirmationIn(subject, parsed.from?.value[0]?.address ?? "", body);
  const title =
    subject || cleanLine(body.split("\n")[0] ?? "", ITEM_LIMITS.title) || "(mail without a subject)";
  const text = withAttachments(body, parsed);
  const unsubscribe = unsubscribeIn(rawHeader(parsed, "list-unsubscribe"));
  const sentAt = parsed.date?.getTime() ?? Number.NaN;
  return {
    title: confirmation === null ? title : confirmation.title,
    summary: text === "" ? null : text,
    link: confirmation?.link ?? linkIn(parsed.text ?? "", html),
    author: authorOf(parsed),
    // A clock of the sender's that goes wrong must not make it the newest for ever.
    publishedAt: Number.isFinite(sentAt) && sentAt <= nowAt + DAY_MS ? sentAt : nowAt,
    ...(confirmation === null ? {} : { priority: "high" as const }),
    ...(unsubscribe === null ? {} : { unsubscribe }),
  };
}

/** A header field as it stands, unfolded; the parser makes an object of its own of the list's. */
function rawHeader({ headerLines }: ParsedMail, name: string): string | undefined {
  const line = headerLines.find(({ key }) => key === name)?.line;
  return line?.slice(line.indexOf(":") + 1);
}

const DAY_MS = 24 * 3_600_000;

function authorOf({ from }: ParsedMail): string | null {
  const [first] = from?.value ?? [];
  const name = cleanLine(first?.name ?? "", ITEM_LIMITS.author);
  return name || cleanLine(first?.address ?? "", ITEM_LIMITS.author) || null;
}

function withAttachments(body: string, { attachments }: ParsedMail): string {
  const names = attachments
    .filter(({ related }) => related !== true)
    .slice(0, MAX_NAMED)
    .map(({ filename, contentType }) => cleanLine(filename ?? contentType, MAX_NAME_CHARS) || "a file");
  if (names.length === 0) return body;
  const line = `Attached: ${names.join(", ")}`;
  return [shorten(body, ITEM_LIMITS.summary - line.length - 2), line]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The first link of the text, else of the HTML; never one that only serves to leave a list. */
function linkIn(text: string, html: string): string | null {
  const inText = text.slice(0, MAX_HTML_CHARS).match(/https?:\/\/[^\s<>"')\]]+/gi) ?? [];
  const inHtml = [
    ...html.slice(0, MAX_HTML_CHARS).matchAll(/<a\b[^>]{0,2000}?\bhref\s*=\s*["']?(https?:\/\/[^\s"'<>]+)/gi),
  ];
  const all = [...inText, ...inHtml.map(([, href = ""]) => href.replaceAll("&amp;", "&"))];
  for (const candidate of all) {
    const link = candidate.replace(/[.,;:!?]+$/, "");
    if (/unsubscribe|opt-?out/i.test(link) || !URL.canParse(link)) continue;
    const { href } = new URL(link);
    if (href.length <= ITEM_LIMITS.link) return href;
  }
  return null;
}
