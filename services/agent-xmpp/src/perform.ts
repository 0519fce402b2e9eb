/** Does what a command says, in the name of a verified address, and returns the reply. */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  type AnsweredView,
  type CallArgs,
  CallError,
  type CallName,
  type CallResult,
  type ChatDeed,
  cleanLine,
  LookupAnswer,
  type MessageView,
  parseAs,
  QUEUES,
  type SubscriptionView,
} from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Command } from "./commands.ts";
import { MAX_TITLE_CHARS } from "./delivery-message.ts";
import * as replies from "./replies.ts";
import { isQuoteOf } from "./said.ts";

const LOOKUP_TIMEOUT_MS = 30_000;

export interface Asker {
  readonly user: string;
  /** Bare JID for which the user's server vouches. */
  readonly address: string;
  /** The same for the same message, so that one that comes twice changes things once. */
  readonly op: string;
  /** The message that is meant, or null for the last one that the avatar knows of. */
  readonly about: string | null;
  /** What is quoted without naming a message; null when nothing is. */
  readonly quote: string | null;
}

export interface Means {
  readonly bus: Bus;
  readonly queue: Pick<Queue, "request">;
  readonly addresses: Addresses;
}

/** The reply to `command`. Rejects with CallError, whose message is a sentence for the user, or with what the queue says. */
export async function perform(command: Command, asker: Asker, means: Means, nowAt: number): Promise<string> {
  switch (command.name) {
    case "help":
      return replies.HELP;
    case "unknown":
      return replies.UNKNOWN;
    case "incomplete":
      return command.hint;
    case "list":
      return replies.listReply(await subscriptions(asker, means));
    case "add":
      return add(command.url, asker, means);
    case "remove":
      return remove(command.position, asker, means);
    case "pause":
      return pause(nowAt + command.forMs, asker, means);
    case "resume":
      await call("resume", {}, asker, means);
      return replies.RESUMED;
    case "ack":
      return replies.acknowledgedReply(await answer({ name: "ack" }, asker, means));
    case "snooze":
      return replies.snoozedReply(
        await answer({ name: "snooze", forMs: command.forMs }, asker, means),
        nowAt + command.forMs,
      );
    case "reply":
      return replies.answeredReply(await answer({ name: "reply", said: command.said }, asker, means));
    case "more":
      return replies.moreReply(await messageMeant(asker, means));
    case "why":
      return replies.whyReply(await messageMeant(asker, means));
  }
}

/** Does something with what the message that is meant held. Rejects as {@link perform} does. */
export async function answer(deed: ChatDeed, asker: Asker, means: Means): Promise<AnsweredView> {
  const message = asker.quote === null ? asker.about : (await messageMeant(asker, means)).message;
  return call("answerMessage", { message, deed }, asker, means);
}

/** A quote that is not of the last message could be of any: nothing is done then. */
async function messageMeant(asker: Asker, means: Means): Promise<MessageView> {
  const view = await call("messageSent", { message: asker.about }, asker, means);
  const title = cleanLine(view.items[0]?.title ?? "", MAX_TITLE_CHARS);
  if (asker.quote === null || isQuoteOf(asker.quote, title)) return view;
  throw new CallError("modify", "not-acceptable", replies.UNKNOWN_QUOTE);
}

async function add(url: string, asker: Asker, means: Means): Promise<string> {
  const body = await means.queue.request(QUEUES.lookup, JSON.stringify({ url }), LOOKUP_TIMEOUT_MS);
  const answer = parseAs(LookupAnswer, body, "answer to a look-up");
  if (!answer.found) return answer.failure.sentence;
  const { subscription, created } = await call(
    "subscribe",
    { url: answer.url, title: null, priority: null },
    asker,
    means,
  );
  return replies.addedReply(subscription, created, answer.items[0]);
}

async function pause(untilAt: number, asker: Asker, means: Means): Promise<string> {
  const { zone } = await call("pause", { untilAt }, asker, means);
  return replies.pausedReply(untilAt, zone);
}

async function remove(position: number, asker: Asker, means: Means): Promise<string> {
  const listed = await subscriptions(asker, means);
  const chosen = listed[position - 1];
  if (chosen === undefined) return replies.noSuchPositionReply(position, listed.length);
  await call("unsubscribe", { id: chosen.id }, asker, means);
  return replies.removedReply(chosen);
}

/** In the order of `list`: oldest first, so that a number means the same tomorrow. */
async function subscriptions(asker: Asker, means: Means): Promise<SubscriptionView[]> {
  const { items } = await call("subscriptions", {}, asker, means);
  return items.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

function call<N extends CallName>(
  name: N,
  args: CallArgs<N>,
  { user, address, op }: Asker,
  { bus, addresses }: Means,
): Promise<CallResult<N>> {
  return bus.call({
    from: addresses.im,
    to: `${user}@${addresses.silo}`,
    name,
    args,
    authority: { jid: address },
    op,
  });
}

/** What to tell the user when `perform` or a call rejected. */
export function failureReply(error: unknown): string {
  return error instanceof CallError && error.type !== "wait" ? error.message : replies.BUSY;
}
