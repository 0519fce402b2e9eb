/** What users do in answer to what reached them, as agents report it: each deed once, however often it is reported. */
import { randomUUID } from "node:crypto";
import {
  CallError,
  type Deed,
  type DeliveryReport,
  ITEM_LIMITS,
  isAgentChannel,
  itemId,
  type Notification,
  SYSTEM_SOURCE,
  shorten,
} from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { answerSource } from "./answer-source.ts";
import type { Deliveries, Situation } from "./deliveries.ts";
import { withRow } from "./destinations.ts";
import { acknowledged, putOff } from "./own-acts.ts";
import { type CoreRow, DEEDS, type DestinationRow, placeOf } from "./rows.ts";

/** Deeds that are remembered: agents repeat a report for minutes, and for two days after a restart. */
const MOST_DEEDS = 500;
const STOPPED = "Stopped by a message from it; the message START lets notifications come again.";

/** True once for each deed. */
export function isNewDeed(turn: Turn, id: string): boolean {
  const known = turn.get<string[]>(DEEDS) ?? [];
  if (known.includes(id)) return false;
  turn.put(DEEDS, [...known, id].slice(-MOST_DEEDS));
  return true;
}

/** Does what the user has asked for at the destination; the core as it is then. */
export function carryOut(
  turn: Turn,
  deed: Deed,
  about: Pick<DeliveryReport, "notification" | "destination" | "did">,
  deliveries: Deliveries,
  situation: Situation,
): CoreRow {
  const { core } = situation;
  const { notification, destination } = about;
  switch (deed.name) {
    case "ack":
      deliveries.act(turn, notification, (row) => acknowledged(row, destination, turn.nowAt), situation);
      return core;
    case "snooze": {
      const untilAt = turn.nowAt + deed.forMs;
      deliveries.act(turn, notification, (row) => putOff(row, untilAt, destination, turn.nowAt), situation);
      return core;
    }
    case "reply":
      answerOrSay(turn, deed, about, deliveries, situation);
      return core;
    case "more":
      sayMore(turn, deliveries.notification(turn, notification), rowOf(core, destination));
      return core;
    case "stop":
    case "start":
      return stopOrStart(core, rowOf(core, destination), deed.name);
    case "help":
      return core;
  }
}

function rowOf({ destinations }: CoreRow, id: string): DestinationRow | undefined {
  return destinations.find((row) => row.id === id);
}

/** A destination that was disabled for another reason is not brought back by START. */
function stopOrStart(core: CoreRow, row: DestinationRow | undefined, deed: "stop" | "start"): CoreRow {
  if (row === undefined || row.channel === "im") return core;
  if (deed === "stop" && row.state === "verified")
    return withRow(core, { ...row, state: "disabled", problem: STOPPED });
  if (deed === "start" && row.state === "disabled" && row.problem === STOPPED)
    return withRow(core, { ...row, state: "verified", problem: null });
  return core;
}

/** Where nobody waits for our answer, what cannot be done is said by a message. */
function answerOrSay(
  turn: Turn,
  { said }: Deed & { name: "reply" },
  { notification: id, destination, did }: Pick<DeliveryReport, "notification" | "destination" | "did">,
  deliveries: Deliveries,
  situation: Situation,
): void {
  const answerId = did?.id ?? randomUUID();
  try {
    answerSource(turn, { id, answerId, given: { said }, destination }, deliveries, situation);
  } catch (error) {
    const row = rowOf(situation.core, destination);
    if (!(error instanceof CallError) || row?.channel === "im") throw error;
    const notification = deliveries.notification(turn, id);
    sayOnce(turn, notification, row, { why: `answer ${answerId}`, text: error.message });
  }
}

/** The text behind a title that was all there was room for. */
function sayMore(turn: Turn, notification: Notification | undefined, row: DestinationRow | undefined): void {
  if (notification === undefined || row?.channel !== "sms") return;
  const { summary, title } = notification;
  sayOnce(turn, notification, row, { why: `more ${notification.id}`, text: summary ?? title });
}

/** Says something of a notification. The user asks again when it is lost, so nobody waits for it. */
function sayOnce(
  turn: Turn,
  notification: Notification | undefined,
  row: DestinationRow | undefined,
  { why, text }: { readonly why: string; readonly text: string },
): void {
  if (notification === undefined || row === undefined || !isAgentChannel(row.channel)) return;
  const { options: _, ...plain } = notification;
  const said = { ...plain, id: itemId(SYSTEM_SOURCE, why), title: shorten(text, ITEM_LIMITS.title) };
  const about = { user: turn.avatar, destination: row.id, ...placeOf(row) };
  const dispatch = { ...about, attempt: 1, heldSinceAt: null, sourceTitle: null, notification: said };
  turn.dispatches.push({ channel: row.channel, dispatch });
}
