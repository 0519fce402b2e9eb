/** What the agent says in chat. Short, and each says what to do next. */
import { localTime } from "@tidings/agent";
import {
  type AnsweredView,
  cleanLine,
  cleanText,
  type HistoryItemWithTrace,
  type Item,
  type MessageView,
  MUTE_MS,
  type SubscriptionView,
} from "@tidings/protocol";

const MAX_TITLE_CHARS = 80;
const MAX_LISTED = 100;
/** The last steps of a trace, of one notification and of each of several; what came before them is on the page. */
const MAX_STEPS = { ofOne: 12, ofEach: 2 } as const;

export const HELP = [
  "Send me:",
  "add <address> – follow a page or feed (or just paste the address)",
  "list – what you follow",
  "remove <number> – stop following one of the list",
  "pause 2h – hold everything for a while (30m, 2h, 1d)",
  "resume – go on",
  "",
  "About the last notification, or the one you reply to:",
  "ack – you have seen to it, so it goes nowhere else",
  "snooze 1h – it comes again later (30m, 2h, 1d)",
  "more – the text behind the title",
  "why – what became of it, and why",
  "1, 2 … or reply <words> – answer it, where it says what can be answered",
  "",
  "Reactions do it with one tap: ✅ or 👍 ack, 💤 snooze 1h, 🔕 mute the source for a week.",
].join("\n");

export const UNKNOWN =
  'I do not know that one. Send "help" to see what I understand, or paste the address of a page or feed.';
export const BUSY = "I could not do that just now. Please send it again in a minute.";
export const TOO_FAST = "That was a lot at once. Please wait a minute.";
export const STRANGER =
  "Hello! I only talk with people who have linked this address to their Tidings account.";
export const UNVERIFIED = "To link this address, send me the code that your Tidings page shows for it.";
export const LINKED =
  'This address is linked. News will reach you here; send "help" to see what else I can do.';

/** What is followed, numbered for `remove`. */
export function listReply(subscriptions: readonly SubscriptionView[]): string {
  if (subscriptions.length === 0)
    return "You follow nothing yet. Paste the address of a page or feed to begin.";
  const lines = subscriptions
    .slice(0, MAX_LISTED)
    .map((subscription, index) => `${index + 1}. ${listLine(subscription)}`);
  const more = subscriptions.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more on your Tidings page`] : [])].join("\n");
}

export function addedReply(subscription: SubscriptionView, isNew: boolean, newest: Item | undefined): string {
  const title = nameOf(subscription);
  if (!isNew) return `You already follow ${title}.`;
  const latest = newest === undefined ? [] : [`Newest: ${cleanLine(newest.title, 200)}`, newest.link ?? ""];
  return [`You now follow ${title}.`, ...latest].filter((line) => line !== "").join("\n");
}

export function removedReply(subscription: SubscriptionView): string {
  return `You no longer follow ${nameOf(subscription)}.`;
}

export function noSuchPositionReply(position: number, count: number): string {
  if (count === 0) return "You follow nothing, so there is nothing to remove.";
  return `There is no number ${position}; your list goes from 1 to ${count}. Send "list" to see it.`;
}

export function pausedReply(untilAt: number, zone: string): string {
  return `Paused until ${localTime(untilAt, zone)}. Nothing is lost: it waits for you. Send "resume" to go on earlier.`;
}

export const RESUMED = "You are back: news reaches you again.";

export const UNKNOWN_QUOTE =
  'I cannot tell which notification you quote. Use "reply" of your client, or send the word alone for the last one.';
export const NOT_UNDONE =
  "Taking a reaction back changes nothing: what it did stays done. On your Tidings page you can have it again.";

export function acknowledgedReply(answered: AnsweredView): string {
  return `Acknowledged: ${namesOf(answered)}`;
}

export function answeredReply(answered: AnsweredView): string {
  return `Your answer is on its way: ${namesOf(answered)}`;
}

export function snoozedReply(answered: AnsweredView, untilAt: number): string {
  return `Comes again at ${localTime(untilAt, answered.zone)}: ${namesOf(answered)}`;
}

export function mutedReply({ sourceTitle, zone }: AnsweredView, nowAt: number): string {
  const title = cleanLine(sourceTitle, MAX_TITLE_CHARS);
  return `Muted until ${localTime(nowAt + MUTE_MS, zone)}: ${title}. To leave it for good, send "list" and then remove <number>.`;
}

/** The text behind a title; of a digest, what is in it. */
export function moreReply({ items, count }: MessageView): string {
  const [first] = items;
  if (count === 1 && first !== undefined) {
    const text = cleanText(first.summary ?? "").trim();
    return [first.title, text || "There is no more text to it.", first.link ?? ""]
      .filter((line) => line !== "")
      .join("\n");
  }
  const lines = items.map(({ title, link }) => (link === null ? `• ${title}` : `• ${title}\n  ${link}`));
  const left = count - items.length;
  return [...lines, ...(left > 0 ? [`and ${left} more on your Tidings page`] : [])].join("\n");
}

/** What has become of it so far, step by step, and why. */
export function whyReply({ items, count, zone }: MessageView): string {
  const most = items.length === 1 ? MAX_STEPS.ofOne : MAX_STEPS.ofEach;
  const traces = items.map((item) => traceOf(item, most, zone));
  const left = count - items.length;
  return [...traces, ...(left > 0 ? [`and ${left} more on your Tidings page`] : [])].join("\n\n");
}

function traceOf({ title, trace, deliveries }: HistoryItemWithTrace, most: number, zone: string): string {
  const steps = trace.slice(-most).map(({ at, destination, state, what }) => {
    const channel = deliveries.find((delivery) => delivery.destination === destination)?.channel;
    const where = channel === undefined ? "" : ` ${channel}`;
    return `${localTime(at, zone)}${where}${state === null ? "" : ` ${state}`}: ${what}`;
  });
  return [cleanLine(title, MAX_TITLE_CHARS), ...steps].join("\n");
}

function namesOf({ count, title }: AnsweredView): string {
  const first = cleanLine(title, MAX_TITLE_CHARS);
  return count === 1 ? first : `${first} and ${count - 1} more that came with it`;
}

function listLine(subscription: SubscriptionView): string {
  const title = nameOf(subscription);
  switch (subscription.state) {
    case "active":
      return title;
    case "checking":
      return `${title} (being checked)`;
    case "failing":
    case "ended":
      return `${title} (${subscription.problem ?? subscription.state})`;
  }
}

function nameOf({ title, source }: SubscriptionView): string {
  return cleanLine(title, MAX_TITLE_CHARS) || source;
}
