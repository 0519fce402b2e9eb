/** What comes to an avatar beside calls, as a value: it can be given to a turn now, or kept and given to one later. */
import {
  type AgentChannel,
  type AvatarEvent,
  type CallbackResult,
  MalformedError,
  type PollResult,
  type Publication,
  type Report,
} from "@tidings/protocol";
import type { Avatar, IncomingCall } from "./avatar.ts";
import type { Turn } from "./turn.ts";

export type Stimulus =
  | { readonly kind: "event"; readonly from: string; readonly event: AvatarEvent }
  | {
      readonly kind: "reports";
      readonly reports: readonly Report[];
      /** Whose reports they are; absent in dead letters of an earlier release, in which all were of im. */
      readonly channel?: AgentChannel;
      readonly agentEpoch: number;
    }
  | { readonly kind: "pollResult"; readonly result: PollResult }
  | { readonly kind: "published"; readonly publication: Publication }
  | { readonly kind: "callbackResult"; readonly result: CallbackResult }
  /** `at` is when the alarm was to ring (epoch milliseconds); absent in dead letters of an earlier release. */
  | { readonly kind: "alarm"; readonly at?: number }
  | { readonly kind: "takenOver" }
  | { readonly kind: "continue" };

/** What a turn is for: a stimulus, or a call, which is not kept as somebody waits for its answer. */
export type Cause = Stimulus | { readonly kind: "call"; readonly call: IncomingCall };

/** Gives `cause` to `avatar` in `turn`. Throws what the avatar throws. */
export function stimulate(avatar: Avatar, turn: Turn, cause: Cause): void {
  switch (cause.kind) {
    case "call":
      avatar.onCall(turn, cause.call);
      break;
    case "event":
      avatar.onEvent(turn, cause.from, cause.event);
      break;
    case "reports": {
      const life = { channel: cause.channel ?? "im", epoch: cause.agentEpoch };
      for (const report of cause.reports) avatar.onReport(turn, report, life);
      break;
    }
    case "pollResult":
      avatar.onPollResult(turn, cause.result);
      break;
    case "published":
      if (avatar.onPublished === undefined) throw new MalformedError("nothing is published here");
      avatar.onPublished(turn, cause.publication);
      break;
    case "callbackResult":
      avatar.onCallbackResult?.(turn, cause.result);
      break;
    case "alarm":
      ring(avatar, turn, cause.at ?? 0);
      break;
    case "takenOver":
      avatar.onTakenOver?.(turn);
      break;
    case "continue":
      avatar.onContinue(turn);
      break;
  }
}

/**
 * The avatar may have moved its alarm since it was set off. The clock may have been set back since then, too: an alarm that
 * was not moved rings all the same, for nothing is left that would ring it again.
 */
function ring(avatar: Avatar, turn: Turn, dueAt: number): void {
  const at = turn.alarmAt;
  if (at === null || at > Math.max(turn.nowAt, dueAt)) return;
  turn.setAlarm(null);
  avatar.onAlarm(turn);
}
