/** What comes to an avatar beside calls, as a value: it can be given to a turn now, or kept and given to one later. */
import type { AvatarEvent, PollResult, Report } from "@tidings/protocol";
import type { Avatar } from "./avatar.ts";
import type { Turn } from "./turn.ts";

export type Stimulus =
  | { readonly kind: "event"; readonly from: string; readonly event: AvatarEvent }
  | { readonly kind: "reports"; readonly reports: readonly Report[]; readonly agentEpoch: number }
  | { readonly kind: "pollResult"; readonly result: PollResult }
  | { readonly kind: "alarm" }
  | { readonly kind: "continue" };

/** Gives the stimulus to `avatar` in `turn`. Throws what the avatar throws. */
export function stimulate(avatar: Avatar, turn: Turn, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case "event":
      avatar.onEvent(turn, stimulus.from, stimulus.event);
      break;
    case "reports":
      for (const report of stimulus.reports) avatar.onReport(turn, report, stimulus.agentEpoch);
      break;
    case "pollResult":
      avatar.onPollResult(turn, stimulus.result);
      break;
    case "alarm":
      ring(avatar, turn);
      break;
    case "continue":
      avatar.onContinue(turn);
      break;
  }
}

/** The avatar may have moved its alarm since it was set off. */
function ring(avatar: Avatar, turn: Turn): void {
  const at = turn.alarmAt;
  if (at === null || at > turn.nowAt) return;
  turn.setAlarm(null);
  avatar.onAlarm(turn);
}
