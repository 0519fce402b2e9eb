/** The calls by which an agent asks and acts for whoever writes to it from an address of theirs. */
import {
  type AnsweredView,
  type CallArgs,
  CallError,
  type MessageView,
  MUTE_MS,
  SHOWN_OF_MESSAGE,
} from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { active } from "./account.ts";
import type { CallContext } from "./calls.ts";
import { historyItem } from "./history.ts";
import { rulesIn } from "./routing-row.ts";
import { type CoreRow, type DestinationRow, SUBSCRIPTION } from "./rows.ts";
import { mute } from "./rule-calls.ts";
import { type SentMessage, sentMessage } from "./sent-messages.ts";

/** What a message to the caller's address held. Throws CallError. */
export function messageSent(
  { turn, core, call }: CallContext,
  { message }: CallArgs<"messageSent">,
): MessageView {
  const { id, notifications } = sentMessage(turn, addressOf(active(core), call.authority), message);
  const items = notifications.slice(0, SHOWN_OF_MESSAGE).map((one) => historyItem(turn, one.id));
  return { message: id, count: notifications.length, items, zone: rulesIn(turn).rules.zone };
}

/** Does `deed` with what a message to the caller's address held. Throws CallError. */
export function answerMessage(
  { turn, core, call, avatar }: CallContext,
  { message, deed }: CallArgs<"answerMessage">,
): AnsweredView {
  const user = active(core);
  const destination = addressOf(user, call.authority);
  const sent = sentMessage(turn, destination, message);
  if (deed.name === "mute") {
    muteSource(turn, user, sent);
    avatar.decideAnew(turn, user);
  } else avatar.carryOut(turn, user, deed, { notification: sent.id, destination: destination.id });
  const [first] = sent.notifications.map(({ id }) => historyItem(turn, id));
  return {
    count: sent.notifications.length,
    title: first?.title ?? "",
    sourceTitle: first?.sourceTitle ?? "",
    zone: rulesIn(turn).rules.zone,
  };
}

function addressOf({ destinations }: CoreRow, authority: CallContext["call"]["authority"]): DestinationRow {
  const jid = authority !== null && "jid" in authority ? authority.jid : null;
  const row = destinations.find(({ address, state }) => address === jid && state === "verified");
  if (row !== undefined) return row;
  throw new CallError("cancel", "not-allowed", "Only an agent asks for what went to an address.");
}

function muteSource(turn: Turn, core: CoreRow, { notifications }: SentMessage): void {
  const [source, ...others] = new Set(notifications.map((one) => one.source));
  if (source === undefined || others.length > 0)
    throw new CallError(
      "modify",
      "not-acceptable",
      "This message is of several sources; mute one of them from a message of its own.",
    );
  if (turn.get(SUBSCRIPTION + source) === undefined)
    throw new CallError("cancel", "item-not-found", "You do not follow the source of this any more.");
  mute(turn, core, source, turn.nowAt + MUTE_MS);
}
