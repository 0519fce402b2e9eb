/** What the agent says in chat. Short, and each says what to do next. */
import { cleanLine, type Item, type SubscriptionView } from "@tidings/protocol";

const MAX_TITLE_CHARS = 80;
const MAX_LISTED = 100;

export const HELP = [
  "Send me:",
  "add <address> – follow a page or feed (or just paste the address)",
  "list – what you follow",
  "remove <number> – stop following one of the list",
  "pause 2h – hold everything for a while (30m, 2h, 1d)",
  "resume – go on",
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

export function pausedReply(untilAt: number): string {
  const until = new Date(untilAt).toISOString().slice(0, 16).replace("T", " ");
  return `Paused until ${until} UTC. Nothing is lost: it waits for you. Send "resume" to go on earlier.`;
}

export const RESUMED = "You are back: news reaches you again.";

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
