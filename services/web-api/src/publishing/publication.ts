/** Messages as the items of a publication: cleaned, within the limits, and with ids that a repeat has again. Pure. */
import { createHash, randomUUID } from "node:crypto";
import {
  cleanLine,
  cleanText,
  ITEM_LIMITS,
  type Item,
  itemId,
  OPTION_LIMITS,
  PUBLISH_LIMITS,
  type PublishedItem,
  type ReplyOption,
  shorten,
} from "@tidings/protocol";
import { priorityWord } from "../priority.ts";
import { Problem } from "../problem.ts";
import type { Message } from "./message.ts";
import { readDelay, readTime } from "./read-time.ts";

export interface PublicationContext {
  /** Localpart of the source. */
  readonly source: string;
  /** The request's Idempotency-Key; null without one. */
  readonly key: string | null;
  readonly nowAt: number;
}

/** The items of a request, in its order. Throws Problem 422. */
export function publishedItems(messages: readonly Message[], context: PublicationContext): PublishedItem[] {
  return messages.map((message, at) => publishedItem(message, identityOf(message, at, context), context));
}

/** What makes it the same again: its own key, the request's and its place there, or nothing. */
function identityOf({ dedupKey }: Message, at: number, { key }: PublicationContext): string {
  if (dedupKey !== undefined) return `dedup ${dedupKey}`;
  return key === null ? `once ${randomUUID()}` : `request ${key} ${at}`;
}

function publishedItem(
  message: Message,
  identity: string,
  { source, nowAt }: PublicationContext,
): PublishedItem {
  const dueAt = dueAtOf(message, nowAt);
  const options = optionsOf(message);
  if (options !== null && message.callback === undefined)
    throw new Problem(422, "Options need a callback: the address to which answers are posted.");
  const withinMs = message.answerWithin === undefined ? null : readDelay(message.answerWithin);
  if (message.answerWithin !== undefined && withinMs === null)
    throw new Problem(422, "answerWithin is a time such as 30m, 2h or PT30M.");
  const item: Item = {
    id: itemId(source, identity),
    ...textsOf(message),
    link: message.link === undefined ? null : webAddress(message.link, "link", ITEM_LIMITS.link),
    author: message.author === undefined ? null : cleanLine(message.author, ITEM_LIMITS.author) || null,
    publishedAt: dueAt ?? nowAt,
    ...tagsOf(message),
    ...(message.priority === undefined ? {} : { priority: priorityWord(message.priority) }),
    ...(options === null ? {} : { options }),
    ...(options === null || withinMs === null ? {} : { answerUntilAt: (dueAt ?? nowAt) + withinMs }),
  };
  const callback =
    options === null || message.callback === undefined
      ? null
      : webAddress(message.callback, "callback", 2_000);
  return { item, dueAt, callback };
}

/** What has no title is told by the begin of its text. */
function textsOf({ title = "", message = "" }: Message): Pick<Item, "title" | "summary"> {
  const text = cleanText(message).trim();
  const line = cleanLine(title, ITEM_LIMITS.title) || cleanLine(text.split("\n")[0] ?? "", ITEM_LIMITS.title);
  if (line === "")
    throw new Problem(422, "There is nothing to tell: send a text, or a title, with a visible character.");
  const wasCut = title.length > ITEM_LIMITS.title ? cleanText(title).trim() : "";
  const rest = [wasCut, text].filter((part) => part !== "" && part !== line).join("\n\n");
  return { title: line, summary: rest === "" ? null : shorten(rest, ITEM_LIMITS.summary) };
}

function tagsOf({ tags = [] }: Message): Pick<Item, "categories"> {
  const categories = tags.flatMap((tag) => cleanLine(tag, ITEM_LIMITS.category) || []);
  return categories.length === 0 ? {} : { categories: categories.slice(0, ITEM_LIMITS.categories) };
}

function dueAtOf({ at, delay }: Message, nowAt: number): number | null {
  const said = at ?? delay;
  if (said === undefined) return null;
  if (at !== undefined && delay !== undefined) throw new Problem(422, "Give either at or delay, not both.");
  const dueAt = readTime(said, nowAt);
  if (dueAt === null)
    throw new Problem(422, `"${shorten(said, 60)}" is no time: write 30m, 2h, or 2026-03-01T08:00:00Z.`);
  if (dueAt > nowAt + PUBLISH_LIMITS.aheadMs)
    throw new Problem(422, "That is more than 30 days ahead; send it later.");
  return dueAt <= nowAt ? null : dueAt;
}

function optionsOf({ options }: Message): ReplyOption[] | null {
  if (options === undefined) return null;
  if (options.length > OPTION_LIMITS.options)
    throw new Problem(
      422,
      `A message offers at most ${OPTION_LIMITS.options} options, this one ${options.length}.`,
    );
  const read = options.map((option, at) => {
    const { id, label, input } =
      typeof option === "string" ? { id: undefined, label: option, input: false } : option;
    const shown = cleanLine(label, OPTION_LIMITS.label);
    if (shown === "") throw new Problem(422, `Option ${at + 1} has no visible label.`);
    return { id: id ?? idFor(shown), label: shown, ...(input === true ? { input: true as const } : {}) };
  });
  if (new Set(read.map(({ id }) => id)).size < read.length)
    throw new Problem(422, "Two options have the same id or label; make them differ.");
  return read;
}

/** The label itself where an id can be it. */
function idFor(label: string): string {
  const plain = label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, OPTION_LIMITS.id);
  return plain === "" ? createHash("sha256").update(label).digest("hex").slice(0, 8) : plain;
}

function webAddress(typed: string, field: string, maxChars: number): string {
  const address = typed.trim();
  const url = /^https?:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.href.length > maxChars || url.username !== "" || url.password !== "")
    throw new Problem(
      422,
      `${field} is an http or https address of at most ${maxChars} characters, without a password.`,
    );
  return url.href;
}
