/**
 * Messages in chat that no longer say the truth: what they tell was acknowledged elsewhere. Each is corrected once
 * (XEP-0308), and never before the user's server has the message itself.
 *
 *     acknowledged elsewhere, and handed ──▶ open ──the agent says handed──▶ gone
 *                                           │  ▲ └──refused for good, or after 24 h──▶ gone, and the trace says so
 *                                           └──┘ no word of the agent, or refused for now: again, later and later
 *
 * An open one is a row of the commit that caused it. It is a dispatch like any other, under an id of its own, so what the agent
 * promises of those holds for it.
 */
import {
  type DeliveryReport,
  ITEM_LIMITS,
  itemId,
  messageId,
  type Notification,
  SYSTEM_SOURCE,
  shorten,
} from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { type Dispatcher, sourceTitleIn } from "./dispatcher.ts";
import { DISPATCH_TIMEOUT_MS, IM_EXPIRES_MS, TRACE_STEPS } from "./progress.ts";
import {
  CORRECTION,
  type CoreRow,
  type CorrectionRow,
  type DeliveriesRow,
  type Delivery,
  HISTORY,
} from "./rows.ts";

/** Open ones of a user; what is above it stays as it was said, and the trace says so. */
const MOST_OPEN = 200;
const REPEAT = { firstMs: DISPATCH_TIMEOUT_MS, maxMs: 600_000 };
const BY: Partial<Record<Delivery["channel"], string>> = {
  sms: "by SMS",
  email: "by e-mail",
  im: "in chat",
  webhook: "by a webhook",
};
const GIVEN_UP = "the message there could not be corrected";

export class Corrections {
  readonly #open = new Map<string, CorrectionRow>();

  readonly #dispatcher: Pick<Dispatcher, "push">;

  /** Reads what is open from the rows. */
  constructor(turn: Turn, dispatcher: Pick<Dispatcher, "push">) {
    this.#dispatcher = dispatcher;
    for (const { key, value } of turn.list(withPrefix(CORRECTION)))
      this.#open.set(key.slice(CORRECTION.length), JSON.parse(value) as CorrectionRow);
  }

  get size(): number {
    return this.#open.size;
  }

  /** `row` of the notification `number`, with what is wrong in chat by now on its way to be corrected. */
  begin(turn: Turn, number: string, row: DeliveriesRow, core: CoreRow): DeliveriesRow {
    const wrong = row.deliveries.filter((delivery) => isWrong(row, delivery));
    return wrong.reduce((after, delivery) => this.#beginOne(turn, number, after, delivery, core), row);
  }

  /** Says again all that no agent has spoken of. */
  say(turn: Turn, core: CoreRow): void {
    for (const [id, row] of this.#open) this.#sayOne(turn, id, row, core);
  }

  /** Says again what is due, and gives up what is too old: the numbers of those. */
  onAlarm(turn: Turn, core: CoreRow): CorrectionRow[] {
    const expired: CorrectionRow[] = [];
    for (const [id, row] of this.#open) {
      if (turn.nowAt - row.beganAt >= IM_EXPIRES_MS) {
        this.#close(turn, id);
        expired.push(row);
      } else if (row.dueAt > turn.nowAt) alarmBy(turn, row.dueAt);
      else this.#keep(turn, id, said(row, turn.nowAt), core);
    }
    return expired;
  }

  /** The agent speaks of a correction. Null when it is of none, or when all is well; else what is given up. */
  onReport(turn: Turn, { notification: id, state, mayRetry, attempt }: DeliveryReport): CorrectionRow | null {
    const row = this.#open.get(id);
    if (row === undefined || attempt < row.attempt) return null;
    if (state !== "refused" || !mayRetry) {
      this.#close(turn, id);
      return state === "refused" ? row : null;
    }
    const dueAt = turn.nowAt + backOffMs(row.attempt, REPEAT, 1);
    this.#put(turn, id, { ...row, attempt: row.attempt + 1, said: 0, dueAt });
    return null;
  }

  #beginOne(
    turn: Turn,
    number: string,
    row: DeliveriesRow,
    delivery: Delivery,
    core: CoreRow,
  ): DeliveriesRow {
    const { destination, wantedFrom } = delivery;
    const by = acknowledgedBy(row);
    const notification = turn.get<Notification>(HISTORY + number);
    const isRoom = this.#open.size < MOST_OPEN && notification !== undefined;
    if (isRoom) {
      const corrects = messageId(notification.id, wantedFrom);
      const id = itemId(SYSTEM_SOURCE, `correct ${corrects} ${destination}`);
      const fresh = { number, destination, corrects, by, beganAt: turn.nowAt, attempt: 1, said: 0, dueAt: 0 };
      this.#keep(turn, id, said(fresh, turn.nowAt), core);
    }
    const what = isRoom ? `the message there is corrected: acknowledged ${by}` : GIVEN_UP;
    const deliveries = row.deliveries.map((one) =>
      one === delivery ? { ...one, corrected: true as const } : one,
    );
    return withStep({ ...row, deliveries }, destination, what, turn.nowAt);
  }

  #keep(turn: Turn, id: string, row: CorrectionRow, core: CoreRow): void {
    this.#put(turn, id, row);
    this.#sayOne(turn, id, row, core);
  }

  #put(turn: Turn, id: string, row: CorrectionRow): void {
    this.#open.set(id, row);
    turn.put(CORRECTION + id, row);
    alarmBy(turn, row.dueAt);
  }

  #close(turn: Turn, id: string): void {
    this.#open.delete(id);
    turn.delete(CORRECTION + id);
  }

  /** What has left the history, or the user's addresses, needs no correction any more. */
  #sayOne(turn: Turn, id: string, row: CorrectionRow, core: CoreRow): void {
    const notification = turn.get<Notification>(HISTORY + row.number);
    const { by, destination, attempt, corrects } = row;
    if (notification === undefined || !core.destinations.some((one) => one.id === destination)) {
      this.#close(turn, id);
      return;
    }
    // It is refused for now: the agent has said all there is to be said until it is due.
    if (row.said === 0) return;
    const sourceTitle = sourceTitleIn(turn, notification);
    const about = { destination, attempt, heldSinceAt: null, corrects, sourceTitle };
    this.#dispatcher.push(turn, core, { ...about, notification: corrected(notification, id, by) });
  }
}

/** `row` with the word that a message at `destination` stays as it was said. */
export function uncorrected(row: DeliveriesRow, destination: string, nowAt: number): DeliveriesRow {
  return withStep(row, destination, GIVEN_UP, nowAt);
}

/** It tells what the user has acknowledged elsewhere. Digests tell more than that, and stay as they are. */
function isWrong({ own }: DeliveriesRow, { channel, state, digest, corrected }: Delivery): boolean {
  const isThere = state === "handed" || state === "received" || state === "displayed";
  return own?.state === "acked" && channel === "im" && isThere && digest === undefined && corrected !== true;
}

function acknowledgedBy({ deliveries }: DeliveriesRow): string {
  const acted = deliveries.find(({ state }) => state === "acted");
  return acted === undefined ? "on your Tidings page" : (BY[acted.channel] ?? "elsewhere");
}

function corrected(notification: Notification, id: string, by: string): Notification {
  return {
    ...notification,
    id,
    title: shorten(`✓ acknowledged ${by}: ${notification.title}`, ITEM_LIMITS.title),
  };
}

function said(row: CorrectionRow, nowAt: number): CorrectionRow {
  return { ...row, said: row.said + 1, dueAt: nowAt + backOffMs(row.said + 1, REPEAT, 1) };
}

function alarmBy(turn: Turn, at: number): void {
  if (turn.alarmAt === null || turn.alarmAt > at) turn.setAlarm(at);
}

function withStep(row: DeliveriesRow, destination: string, what: string, at: number): DeliveriesRow {
  return { ...row, trace: [...row.trace, { at, destination, state: null, what }].slice(-TRACE_STEPS) };
}
