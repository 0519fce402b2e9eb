/** Answering the source of a notification with one of the options that it offers. */
import { ANSWER_CHARS, CallError, cleanText, type Notification, shorten } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import type { Deliveries, Situation } from "./deliveries.ts";
import { acknowledged, answered, answerSettled } from "./own-acts.ts";
import { type ReadAnswer, readAnswer } from "./read-answer.ts";

/** An answer as it came: `said` in the user's words, or an option by its id and words that go with it. */
export type Given =
  | { readonly said: string }
  | { readonly option: string | null; readonly text: string | null };

/**
 * Tells the source what the user answers to the notification `id` at `destination` (null: on the page). `answerId` names the
 * answer. Throws CallError with a sentence for the user.
 */
export function answerSource(
  turn: Turn,
  {
    id,
    answerId,
    given,
    destination,
  }: { id: string; answerId: string; given: Given; destination: string | null },
  deliveries: Deliveries,
  situation: Situation,
): void {
  const notification = deliveries.notification(turn, id);
  if (notification === undefined)
    throw new CallError("cancel", "item-not-found", "There is no such notification in your history.");
  const before = deliveries.answerTo(turn, notification.id);
  if (before !== null) throw refused(`You have answered this already: ${before}.`);
  const { option, text } = chosen(turn, notification, given);
  const said = text === null ? option.label : `${option.label}: ${text}`;
  deliveries.act(
    turn,
    notification.id,
    (row) => answered(acknowledged(row, destination, turn.nowAt), said, destination, turn.nowAt),
    situation,
  );
  const answer = { id: answerId, notification: notification.id, option: option.id, text, at: turn.nowAt };
  turn.tell([notification.source], { type: "answered", answer });
}

/** The source says what became of the answer to the notification `id`: a problem, or null. */
export function onSettled(
  turn: Turn,
  { id, problem }: { id: string; problem: string | null },
  deliveries: Deliveries,
  situation: Situation,
): void {
  deliveries.act(turn, id, (row) => answerSettled(row, problem, turn.nowAt), situation);
}

function chosen(turn: Turn, { options = [], answerUntilAt }: Notification, given: Given): ReadAnswer {
  if (options.length === 0) throw refused("Nobody waits for an answer to this.");
  if (answerUntilAt !== undefined && answerUntilAt < turn.nowAt)
    throw refused(`The time to answer this was over at ${new Date(answerUntilAt).toISOString()}.`);
  const found = "said" in given ? readAnswer(options, given.said) : byId(options, given);
  const names = options.map(({ label }, at) => `${at + 1} (${label})`).join(", ");
  if (found === null) throw refused(`This is none of the answers that there are; answer with ${names}.`);
  if (found.text !== null && found.option.input !== true)
    throw refused(`The answer "${found.option.label}" takes no words of your own; send it alone.`);
  const text = found.text === null ? null : shorten(cleanText(found.text), ANSWER_CHARS);
  return { option: found.option, text };
}

/** Without an option it is the one that takes words. */
function byId(
  options: NonNullable<Notification["options"]>,
  { option: id, text }: { readonly option: string | null; readonly text: string | null },
): ReadAnswer | null {
  if (id === null) return text === null ? null : readAnswer(options, text);
  const option = options.find((one) => one.id === id);
  return option === undefined ? null : { option, text };
}

function refused(sentence: string): CallError {
  return new CallError("modify", "not-acceptable", sentence);
}
