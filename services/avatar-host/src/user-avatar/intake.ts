/** What is found when a notification comes, and counted over many: the same as before, bursts, SMS of the day. */
import { durationMs, type Notification } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { BURST, SAME, type SameRow, SMS_DAY, type SmsDayRow, type TakenFacts } from "./rows.ts";
import { type Arrivals, arrive } from "./rules/burst.ts";
import { dedupKey } from "./rules/dedup-key.ts";
import { dateAt } from "./rules/local-time.ts";
import type { Routing } from "./rules/routing.ts";

/** The facts of a notification that has just come. Rows are written only where the rules ask for it. */
export function factsOf(turn: Turn, notification: Notification, routing: Routing): TakenFacts {
  const duplicateOf = duplicateIn(turn, notification, routing);
  if (duplicateOf !== null) return { duplicateOf };
  const burstUntilAt = burstIn(turn, notification, routing);
  return burstUntilAt === null ? {} : { burstUntilAt };
}

function duplicateIn(turn: Turn, notification: Notification, { rules }: Routing): string | null {
  if (rules.dedup === null) return null;
  const key = dedupKey(notification, rules.dedup.by);
  if (key === null) return null;
  const before = turn.get<SameRow>(SAME + key);
  if (before !== undefined && turn.nowAt - before.at < (durationMs(rules.dedup.within) ?? 0))
    return before.title;
  turn.put(SAME + key, { at: turn.nowAt, title: notification.title } satisfies SameRow);
  return null;
}

function burstIn(turn: Turn, { source }: Notification, { rules }: Routing): number | null {
  if (rules.burst === null) return null;
  const cap = { most: rules.burst.most, withinMs: durationMs(rules.burst.within) ?? 0 };
  const before = turn.get<Arrivals>(BURST + source) ?? [];
  const { arrivals, burstUntilAt } = arrive(before, cap, turn.nowAt);
  if (burstUntilAt === null) turn.put(BURST + source, arrivals);
  return burstUntilAt;
}

/** How many SMS the user's day has had. */
export function smsSentToday(turn: Turn, { rules }: Routing): number {
  const row = turn.get<SmsDayRow>(SMS_DAY);
  return row === undefined || row.day !== dateAt(rules.zone, turn.nowAt).toString() ? 0 : row.sent;
}

export function countSms(turn: Turn, routing: Routing): void {
  const day = dateAt(routing.rules.zone, turn.nowAt).toString();
  turn.put(SMS_DAY, { day, sent: smsSentToday(turn, routing) + 1 } satisfies SmsDayRow);
}
