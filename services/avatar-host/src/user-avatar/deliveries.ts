/**
 * The user's pending deliveries: decided when a notification comes, again on each change of presence or clock, and moved on
 * by what agents report. The rows hold everything; this keeps those that are open in memory while the avatar is awake.
 */
import type { DeliveryReport, Notification } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { type Decision, decide, type Whereabouts } from "./decide.ts";
import {
  begin,
  doubt,
  dueAt,
  HANDED_DOUBT_MS,
  isOpen,
  isRepeatDue,
  redecide,
  repeat,
  report,
} from "./progress.ts";
import {
  type CoreRow,
  type DeliveriesRow,
  HISTORY,
  historyNumber,
  INDEX,
  PENDING,
  SETTLED,
  SUBSCRIPTION,
  type SubscriptionRow,
  titleOf,
} from "./rows.ts";

/** Dispatches without a word from the agent, above which the rest waits in line. */
const MOST_IN_FLIGHT = 1_000;
/**
 * After this long without a word about a dispatch it may have been lost on its way to the agent, and what comes later waits
 * in line: it would overtake the repeat (milliseconds).
 */
const SILENCE_MS = 2_000;
/** Alarms are set on multiples of this, so that a busy avatar does not move its alarm with each item (milliseconds). */
const ALARM_GRAIN_MS = 5_000;

/** What a turn decides by: who the user is, and where. */
export interface Situation extends Whereabouts {
  readonly core: CoreRow;
}

export class Deliveries {
  readonly #pending = new Map<string, DeliveriesRow>();
  /** Numbers of pending ones that came while the avatar was awake, by notification id: a report need not look them up. */
  readonly #numbers = new Map<string, string>();
  /** Numbers of the pending ones that are held somewhere. */
  readonly #held = new Set<string>();
  /** False when a number has come into the set behind a higher one. */
  #heldInOrder = true;
  #lastHeld = "";
  /** Since when nothing was heard of what is dispatched, by number, oldest first; 0 for what was repeated. */
  readonly #silentSince = new Map<string, number>();
  #inFlight = 0;
  #said: { readonly turn: Turn | null; readonly dispatches: Set<string> } = {
    turn: null,
    dispatches: new Set(),
  };
  #last: number;

  /** Reads what is open from the rows. */
  constructor(turn: Turn) {
    for (const { key, value } of turn.list(withPrefix(PENDING))) {
      this.#keep(key.slice(PENDING.length), JSON.parse(value) as DeliveriesRow);
    }
    const newest = turn.list(withPrefix(HISTORY, { limit: 1, reverse: true }))[0];
    this.#last = newest === undefined ? 0 : Number.parseInt(newest.key.slice(HISTORY.length), 36);
  }

  get openCount(): number {
    return this.#pending.size;
  }

  /** Takes a notification into the history, once, and decides where it goes. */
  take(
    turn: Turn,
    notification: Notification,
    text: string,
    sourceTitle: string,
    situation: Situation,
  ): void {
    if (turn.text(INDEX + notification.id) !== undefined) return;
    const number = historyNumber(++this.#last);
    turn.putText(INDEX + notification.id, number);
    turn.putText(HISTORY + number, text);
    this.#numbers.set(notification.id, number);
    const row = begin(this.#decide(situation, turn.nowAt, this.#held.size > 0), turn.nowAt);
    this.#store(turn, number, undefined, row, situation);
    this.#dispatch(turn, row, notification, sourceTitle, situation, new Set());
  }

  /**
   * Decides anew for what is held, oldest first. The decision is the same for all of it, so it ends at the first one that
   * stays held and is not out of date.
   */
  reconsider(turn: Turn, situation: Situation): void {
    for (const number of this.#heldNumbers()) {
      const before = this.#pending.get(number);
      if (before !== undefined && !this.#reconsiderOne(turn, number, before, situation)) return;
    }
  }

  /** An agent's report on one delivery. The time that counts is the avatar's: an agent's clock may be wrong. */
  onReport(turn: Turn, said: DeliveryReport, situation: Situation): void {
    const number = this.#numbers.get(said.notification) ?? turn.text(INDEX + said.notification);
    if (number === undefined) return;
    const before = this.#pending.get(number) ?? turn.get<DeliveriesRow>(SETTLED + number);
    if (before === undefined) return;
    const after = report(before, { ...said, at: turn.nowAt });
    if (after !== before) this.#store(turn, number, before, after, situation);
    if (!this.#pending.has(number)) this.#numbers.delete(said.notification);
    if (this.#pending.size === 0) this.#numbers.clear();
  }

  /** A resource of `address` has left: what it may have taken with it is held again. */
  onLeft(turn: Turn, address: string, situation: Situation): void {
    if (!situation.core.receiptsFrom.includes(address)) return;
    const destination = situation.core.destinations.find((candidate) => candidate.address === address);
    if (destination === undefined) return;
    for (const [number, before] of this.#pending) {
      const after = doubt(before, destination.id, turn.nowAt);
      if (after !== before) this.#store(turn, number, before, after, situation);
    }
  }

  /** Dispatches again, with the same ids, all that no agent has spoken of yet. */
  repeatDispatches(turn: Turn, situation: Situation): void {
    for (const [number, row] of this.#inOrder()) {
      if (dispatchedIn(row) > 0) this.#dispatchStored(turn, number, row, situation, new Set());
    }
  }

  /**
   * The alarm rang: repeats dispatches that nobody answered, settles what was handed long enough ago. When one is due all
   * are repeated, so that the order stays.
   */
  onAlarm(turn: Turn, situation: Situation): void {
    const open = this.#inOrder();
    const isAnyDue = open.some(([, row]) => isRepeatDue(row, turn.nowAt));
    for (const [number, row] of open) {
      const after = repeat(row, turn.nowAt, isAnyDue);
      this.#store(turn, number, row, after, situation);
      if (after !== row) this.#dispatchStored(turn, number, after, situation, new Set());
    }
    this.reconsider(turn, situation);
  }

  /** False when nothing changes. */
  #reconsiderOne(turn: Turn, number: string, before: DeliveriesRow, situation: Situation): boolean {
    const after = redecide(before, this.#decide(situation, turn.nowAt), turn.nowAt);
    if (after === before) return false;
    this.#store(turn, number, before, after, situation);
    const dispatchedBefore = new Set(
      before.deliveries.filter(({ state }) => state === "dispatched").map(({ destination }) => destination),
    );
    this.#dispatchStored(turn, number, after, situation, dispatchedBefore);
    return true;
  }

  /** What is open, oldest first, as it is now. */
  #inOrder(): [string, DeliveriesRow][] {
    return [...this.#pending].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The numbers of what is held, lowest first; what is decided meanwhile may leave the set. */
  #heldNumbers(): Iterable<string> {
    if (!this.#heldInOrder) {
      const sorted = [...this.#held].sort();
      this.#held.clear();
      for (const number of sorted) this.#held.add(number);
      this.#heldInOrder = true;
    }
    return this.#held;
  }

  #dispatchStored(
    turn: Turn,
    number: string,
    row: DeliveriesRow,
    situation: Situation,
    except: ReadonlySet<string>,
  ): void {
    if (!row.deliveries.some(({ state, destination }) => state === "dispatched" && !except.has(destination)))
      return;
    const notification = turn.get<Notification>(HISTORY + number);
    if (notification === undefined) return;
    const subscription = turn.get<SubscriptionRow>(SUBSCRIPTION + notification.source);
    this.#dispatch(
      turn,
      row,
      notification,
      subscription === undefined ? null : titleOf(subscription),
      situation,
      except,
    );
  }

  #dispatch(
    turn: Turn,
    row: DeliveriesRow,
    notification: Notification,
    sourceTitle: string | null,
    { core }: Situation,
    except: ReadonlySet<string>,
  ): void {
    for (const { state, destination, attempt, heldSinceAt } of row.deliveries) {
      const address = core.destinations.find(({ id }) => id === destination)?.address;
      if (state !== "dispatched" || except.has(destination) || address === undefined) continue;
      if (this.#isSaid(turn, `${notification.id} ${destination} ${attempt}`)) continue;
      turn.dispatches.push({
        user: turn.avatar,
        destination,
        address,
        attempt,
        sourceTitle,
        heldSinceAt,
        notification,
      });
    }
  }

  /** Whether this turn has said it already, for two reasons to repeat a dispatch may meet in one turn. */
  #isSaid(turn: Turn, dispatch: string): boolean {
    if (this.#said.turn !== turn) this.#said = { turn, dispatches: new Set() };
    if (this.#said.dispatches.has(dispatch)) return true;
    this.#said.dispatches.add(dispatch);
    return false;
  }

  /**
   * As `decide` says, but in line when too much is under way already, when earlier ones are still held, or when earlier ones
   * may have been lost.
   */
  #decide(situation: Situation, nowAt: number, isBehindOthers = false): Decision[] {
    const decisions = decide(situation.core.destinations, situation, nowAt);
    if (this.#inFlight < MOST_IN_FLIGHT && !isBehindOthers && !this.#mayBeLost(nowAt)) return decisions;
    return decisions.map((decision) =>
      decision.action === "dispatch"
        ? { ...decision, action: "hold", reason: "in line behind earlier ones" }
        : decision,
    );
  }

  #mayBeLost(nowAt: number): boolean {
    const [oldest] = this.#silentSince.values();
    return oldest !== undefined && nowAt - oldest >= SILENCE_MS;
  }

  #store(
    turn: Turn,
    number: string,
    before: DeliveriesRow | undefined,
    after: DeliveriesRow,
    situation: Situation,
  ): void {
    const wasOpen = this.#pending.has(number);
    this.#forget(number);
    if (after.deliveries.some((delivery) => this.#mustWait(delivery, turn.nowAt, situation))) {
      this.#keep(number, after);
      if (after !== before) turn.put(PENDING + number, after);
      this.#setAlarm(turn, after);
      return;
    }
    if (wasOpen) turn.delete(PENDING + number);
    if (wasOpen || after !== before) turn.put(SETTLED + number, after);
  }

  /** A handed delivery is waited for while its client may still leave without a receipt that it usually sends. */
  #mustWait(delivery: DeliveriesRow["deliveries"][number], nowAt: number, { core }: Situation): boolean {
    if (delivery.state !== "handed") return isOpen(delivery);
    const address = core.destinations.find(({ id }) => id === delivery.destination)?.address;
    return (
      address !== undefined && core.receiptsFrom.includes(address) && nowAt - delivery.at < HANDED_DOUBT_MS
    );
  }

  #setAlarm(turn: Turn, { deliveries }: DeliveriesRow): void {
    for (const delivery of deliveries) {
      const due = dueAt(delivery);
      // What is due and still held waits for the user: an alarm in the past would ring without end.
      if (due === null || due <= turn.nowAt) continue;
      const at = delivery.state === "held" ? due : Math.ceil(due / ALARM_GRAIN_MS) * ALARM_GRAIN_MS;
      if (turn.alarmAt === null || turn.alarmAt > at) turn.setAlarm(at);
    }
  }

  #keep(number: string, row: DeliveriesRow): void {
    this.#pending.set(number, row);
    this.#inFlight += dispatchedIn(row);
    const silent = row.deliveries.find(({ state }) => state === "dispatched");
    if (silent !== undefined) this.#silentSince.set(number, silent.repeats === undefined ? silent.at : 0);
    if (!row.deliveries.some(({ state }) => state === "held")) return;
    this.#held.add(number);
    if (number < this.#lastHeld) this.#heldInOrder = false;
    else this.#lastHeld = number;
  }

  #forget(number: string): void {
    const row = this.#pending.get(number);
    if (row === undefined) return;
    this.#inFlight -= dispatchedIn(row);
    this.#pending.delete(number);
    this.#silentSince.delete(number);
    this.#held.delete(number);
  }
}

function dispatchedIn({ deliveries }: DeliveriesRow): number {
  return deliveries.reduce((count, { state }) => count + (state === "dispatched" ? 1 : 0), 0);
}
