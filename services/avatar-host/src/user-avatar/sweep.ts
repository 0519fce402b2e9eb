/** Takes out of the rows what nobody needs any more: history past its retention, old digests, old dedup keys. */
import { durationMs, type Notification } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { DIGEST, HISTORY, INDEX, SAME, SETTLED } from "./rows.ts";
import { isPastRetention } from "./rules/retention.ts";
import type { Routing } from "./rules/routing.ts";

/** Rows of each kind that one sweep looks at: more than come between two of them, and no more in a long history. */
const LOOKED_AT = 200;
/** After this long nobody reports on a digest any more, and no rule asks for a dedup key (milliseconds). */
const KEPT_MS = 8 * 86_400_000;

/** Sweeps the oldest rows. `isOpen` tells whether a number is still waited for; the history is kept from there on. */
export function sweep(turn: Turn, { rules }: Routing, isOpen: (number: string) => boolean): void {
  const retentionMs = durationMs(rules.retention) ?? Number.POSITIVE_INFINITY;
  for (const { key, value } of turn.list(withPrefix(HISTORY, { limit: LOOKED_AT }))) {
    const { id, receivedAt } = JSON.parse(value) as Notification;
    const number = key.slice(HISTORY.length);
    if (!isPastRetention(receivedAt, retentionMs, turn.nowAt) || isOpen(number)) break;
    for (const row of [key, INDEX + id, SETTLED + number]) turn.delete(row);
  }
  for (const prefix of [DIGEST, SAME]) {
    for (const { key, value } of turn.list(withPrefix(prefix, { limit: LOOKED_AT }))) {
      if (turn.nowAt - (JSON.parse(value) as { at: number }).at >= KEPT_MS) turn.delete(key);
    }
  }
}
