/** What comes to an avatar beside calls, as a value: it can be given to a turn now, or kept and given to one later. */
import type { AgentChannel, AvatarEvent, PollResult, Report } from "@tidings/protocol";
import type { Avatar } from "./avatar.ts";
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
  /** `at` is when the alarm was to ring (epoch milliseconds); absent in dead letters of an earlier release. */
  | { readonly kind: "alarm"; readonly at?: number }
  | { readonly kind: "takenOver" }
  | { readonly kind: "continue" };

/** Gives the stimulus to `avatar` in `turn`. Throws what the avatar throws. */
export function stimulate(avatar: Avatar, turn: Turn, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case "event":
      avatar.onEvent(turn, stimulus.from, stimulus.event);
      break;
    case "reports": {
      const life = { channel: stimulus.channel ?? "im", epoch: stimulus.agentEpoch };
      for (const report of stimulus.reports) avatar.onReport(turn, report, life);
      break;
    }
    case "pollResult":
      avatar.onPollResult(turn, stimulus.result);
      break;
    case "alarm":
      ring(avatar, turn, stimulus.at ?? 0);
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
