/**
 * The user's pending deliveries: decided when a notification comes, again on each change of presence, rules or clock, and
 * moved on by what agents report. The rows hold everything; this keeps those that are open in memory while the avatar is
 * awake.
 */
import type { AgentChannel, DeliveryReport, Notification } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { type Bundles, gather } from "./bundles.ts";
import { Corrections, uncorrected } from "./corrections.ts";
import { noteDecided } from "./decided.ts";
import { Dispatcher, type Member } from "./dispatcher.ts";
import { countSms, factsOf, smsSentToday } from "./intake.ts";
import { Pass } from "./pass.ts";
import { Pending } from "./pending.ts";
import {
  begin,
  doubt,
  HANDED_DOUBT_MS,
  isOpen,
  isRepeatDue,
  mayGoElsewhere,
  newlyDispatched,
  nextAlarmAt,
  redecide,
  repeat,
  report,
} from "./progress.ts";
import { Repeats, type SayRepeat } from "./repeats.ts";
import {
  type CoreRow,
  type CorrectionRow,
  type DeliveriesRow,
  type Delivery,
  DIGEST,
  type DigestRow,
  HISTORY,
  historyNumber,
  INDEX,
  PENDING,
  priorityOf,
  SETTLED,
  SUBSCRIPTION,
  type SubscriptionRow,
} from "./rows.ts";
import { type Decision, decide } from "./rules/decide.ts";
import type { Whereabouts } from "./rules/reach.ts";
import type { Routing } from "./rules/routing.ts";
import { sweep } from "./sweep.ts";

/** Dispatches without a word from the agent, above which the rest waits in line. */
const MOST_IN_FLIGHT = 1_000;
/** With so many open, what was handed is waited for no longer: each turn looks at all that is open. */
const MOST_DOUBTED = 2_000;
/** What is out of date is swept with every so many notifications: it costs the others nothing. */
const SWEEP_EVERY = 64;

/** A notification that went nowhere. */
const UNTOLD: DeliveriesRow = { deliveries: [], trace: [] };

/** What a turn decides by: who the user is, where, and by which rules. */
export interface Situation extends Whereabouts {
  readonly core: CoreRow;
  readonly routing: Routing;
}

export class Deliveries {
  readonly #pending = new Pending();
  readonly #dispatcher = new Dispatcher();
  readonly #repeats = new Repeats();
  readonly #corrections: Corrections;
  /** Numbers of pending ones that came while the avatar was awake, by notification id: a report need not look them up. */
  readonly #numbers = new Map<string, string>();
  readonly #pass = new Pass(this.#pending, {
    isFull: () => this.#isFull,
    decideOne: (...about) => this.#reconsiderOne(...about),
  });
  #last: number;

  /** Reads what is open from the rows. */
  constructor(turn: Turn) {
    this.#corrections = new Corrections(turn, this.#dispatcher);
    for (const { key, value } of turn.list(withPrefix(PENDING))) {
      this.#pending.keep(key.slice(PENDING.length), JSON.parse(value) as DeliveriesRow, turn.nowAt);
    }
    const newest = turn.list(withPrefix(HISTORY, { limit: 1, reverse: true }))[0];
    this.#last = newest === undefined ? 0 : Number.parseInt(newest.key.slice(HISTORY.length), 36);
  }

  get openCount(): number {
    return this.#pending.size + this.#corrections.size;
  }

  /** Takes a notification into the history, once, and decides where it goes. */
  take(turn: Turn, notification: Notification, text: string, situation: Situation): void {
    if (turn.text(INDEX + notification.id) !== undefined) return;
    // What is held came before, and was decided by something else: after a wake, by a life that may have ended in the middle.
    if (this.#pass.isNews(situation)) this.reconsider(turn, situation);
    const number = historyNumber(++this.#last);
    turn.putText(INDEX + notification.id, number);
    turn.putText(HISTORY + number, text);
    this.#numbers.set(notification.id, number);
    const facts = factsOf(turn, notification, situation.routing);
    const fresh = { ...facts, takenAt: turn.nowAt, deliveries: [] };
    // What has not been decided anew yet may be about to go, and came before.
    const busy = this.#pass.isOver ? this.#pending.busy() : allOf(situation.core);
    const decisions = this.#decide(turn, number, notification, fresh, situation, busy);
    const row = begin(decisions, turn.nowAt, facts);
    this.#store(turn, number, undefined, row, situation);
    this.#count(turn, decisions, situation);
    this.#dispatcher.say(turn, row, notification, situation.core);
    if (this.#last % SWEEP_EVERY === 0) sweep(turn, situation.routing, (one) => this.#pending.has(one));
  }

  /**
   * Decides anew for what is held, oldest first: all of it when what it was decided by has changed or a time has come, else
   * what can go on. Of many it does some in each turn. `hasNews`: what is not of the situation has changed, too.
   */
  reconsider(turn: Turn, situation: Situation, hasNews = false): void {
    this.#endPart(turn, this.#pass.begin(turn, situation, hasNews), situation);
  }

  /** Goes on with what {@link reconsider} has begun. */
  goOn(turn: Turn, situation: Situation): void {
    this.#endPart(turn, this.#pass.goOn(turn, situation), situation);
  }

  /** An agent's report on one delivery. The time that counts is the avatar's: an agent's clock may be wrong. */
  onReport(turn: Turn, said: DeliveryReport, situation: Situation): void {
    const number = this.#numbers.get(said.notification) ?? turn.text(INDEX + said.notification);
    if (number !== undefined) this.#onReportOf(turn, number, said, situation);
    else this.#onDigestReport(turn, said, situation);
    const given = this.#corrections.onReport(turn, said);
    if (given !== null) this.#sayUncorrected(turn, given, situation);
    if (!this.#pending.has(number ?? "")) this.#numbers.delete(said.notification);
    if (this.#pending.size === 0) this.#numbers.clear();
  }

  /** The notification with this id, or the first of the digest with it. */
  notification(turn: Turn, id: string): Notification | undefined {
    const [number] = this.#numbersOf(turn, id);
    return number === undefined ? undefined : turn.get<Notification>(HISTORY + number);
  }

  /** What the user has answered to the notification with this id, in words; null when nothing. */
  answerTo(turn: Turn, id: string): string | null {
    const [number] = this.#numbersOf(turn, id);
    return number === undefined ? null : (this.#rowOf(turn, number)?.answered ?? null);
  }

  /** The user has acted on a notification, or on all in a digest. False when there is none with this id. */
  act(turn: Turn, id: string, change: (row: DeliveriesRow) => DeliveriesRow, situation: Situation): boolean {
    const numbers = this.#numbersOf(turn, id);
    for (const number of numbers) {
      const before = this.#rowOf(turn, number) ?? UNTOLD;
      const after = this.#corrections.begin(turn, number, change(before), situation.core);
      this.#store(turn, number, before, after, situation);
      this.#decideOneAnew(turn, number, after, situation);
    }
    return numbers.length > 0;
  }

  /** A resource of `address` has left: what it may have taken with it is held again. */
  onLeft(turn: Turn, address: string, situation: Situation): void {
    if (!situation.core.receiptsFrom.includes(address)) return;
    const destination = situation.core.destinations.find((candidate) => candidate.address === address);
    if (destination === undefined) return;
    for (const [number, before] of this.#pending.inOrder()) {
      const after = doubt(before, destination.id, turn.nowAt);
      if (after !== before) this.#store(turn, number, before, after, situation);
    }
  }

  /** Dispatches again, with the same ids, all that no agent has spoken of yet; of one `channel` alone when it is given. */
  repeatDispatches(turn: Turn, { core }: Situation, channel?: AgentChannel): void {
    const others = core.destinations.filter((one) => channel !== undefined && one.channel !== channel);
    const except = new Set(others.map(({ id }) => id));
    this.#repeats.say(this.#pending.inOrder(), except, this.#saying(turn, core));
    if (channel === undefined || channel === "im") this.#corrections.say(turn, core);
  }

  /**
   * The alarm rang: repeats dispatches that nobody answered, settles what was handed long enough ago. When one is due all
   * are repeated, so that the order stays.
   */
  onAlarm(turn: Turn, situation: Situation): void {
    const open = this.#pending.inOrder();
    const isAnyDue = open.some(([, row]) => isRepeatDue(row, turn.nowAt));
    for (const [number, row] of open)
      this.#moveOn(turn, number, row, repeat(row, turn.nowAt, isAnyDue), situation);
    if (isAnyDue) this.#repeats.say(this.#pending.inOrder(), new Set(), this.#saying(turn, situation.core));
    for (const given of this.#corrections.onAlarm(turn, situation.core))
      this.#sayUncorrected(turn, given, situation);
    this.reconsider(turn, situation);
  }

  get #isFull(): boolean {
    return this.#pending.inFlight >= MOST_IN_FLIGHT;
  }

  /** The row as it is now. What is to go together is left in `bundles`. */
  #reconsiderOne(
    turn: Turn,
    number: string,
    before: DeliveriesRow,
    situation: Situation,
    { busy, bundles }: { readonly busy: ReadonlySet<string>; readonly bundles: Bundles },
  ): DeliveriesRow {
    const notification = turn.get<Notification>(HISTORY + number);
    if (notification === undefined) return before;
    const decisions = this.#decide(turn, number, notification, before, situation, busy);
    const after = redecide(before, decisions, turn.nowAt);
    if (after === before) return before;
    this.#store(turn, number, before, after, situation);
    const isNew = newlyDispatched(before, after);
    if (isNew.size > 0) this.#repeats.hasGone();
    const goes = decisions.filter(({ destination }) => isNew.has(destination.id));
    const together = goes.filter((decision) => decision.action === "dispatch" && decision.bundle !== null);
    for (const decision of together) gather(bundles, decision, number);
    this.#count(
      turn,
      goes.filter((decision) => !together.includes(decision)),
      situation,
    );
    const except = new Set(
      after.deliveries.map(({ destination }) => destination).filter((id) => !isNew.has(id)),
    );
    for (const { destination } of together) except.add(destination.id);
    this.#dispatcher.say(turn, after, notification, situation.core, except);
    return after;
  }

  #endPart(turn: Turn, bundles: Bundles, situation: Situation): void {
    this.#sendBundles(turn, bundles, situation);
    this.#repeats.sayLeft(() => this.#pending.inOrder(), this.#saying(turn, situation.core));
  }

  #sendBundles(turn: Turn, bundles: Bundles, situation: Situation): void {
    for (const { destination, bundle, numbers } of bundles.values()) {
      for (let at = 0; at < numbers.length; at += bundle.most) {
        const part = numbers.slice(at, at + bundle.most).flatMap((number): Member[] => {
          const row = this.#pending.get(number);
          return row === undefined ? [] : [{ number, row }];
        });
        this.#sendBundle(turn, destination, part, situation);
      }
    }
  }

  /** A single one goes by itself. */
  #sendBundle(turn: Turn, destination: string, part: readonly Member[], situation: Situation): void {
    const channel = situation.core.destinations.find(({ id }) => id === destination)?.channel;
    if (channel === "sms") countSms(turn, situation.routing);
    const [first] = part;
    if (part.length === 1 && first !== undefined) {
      const others = first.row.deliveries.map((one) => one.destination).filter((id) => id !== destination);
      this.#say(turn, first.number, first.row, situation.core, new Set(others));
      return;
    }
    const rows = this.#dispatcher.bundle(turn, destination, part, situation.core);
    for (const [at, { number, row }] of part.entries())
      this.#store(turn, number, row, rows[at] ?? row, situation);
  }

  #onReportOf(turn: Turn, number: string, said: DeliveryReport, situation: Situation): void {
    const before = this.#rowOf(turn, number);
    if (before === undefined) return;
    const told = report(before, { ...said, at: turn.nowAt });
    const after = this.#corrections.begin(turn, number, told, situation.core);
    if (after === before) return;
    this.#moveOn(turn, number, before, after, situation);
  }

  /** Keeps what has become of a delivery, and decides anew for the others where that can set one going. */
  #moveOn(
    turn: Turn,
    number: string,
    before: DeliveriesRow,
    after: DeliveriesRow,
    situation: Situation,
  ): void {
    this.#store(turn, number, before, after, situation);
    if (after !== before && mayGoElsewhere(after)) this.#decideOneAnew(turn, number, after, situation);
  }

  #decideOneAnew(turn: Turn, number: string, after: DeliveriesRow, situation: Situation): void {
    const bundles: Bundles = new Map();
    this.#reconsiderOne(turn, number, after, situation, { busy: this.#pending.busy(), bundles });
    this.#sendBundles(turn, bundles, situation);
  }

  /** What became of a digest became of all that is in it; of an earlier digest only the user's own word counts. */
  #onDigestReport(turn: Turn, said: DeliveryReport, situation: Situation): void {
    const digest = turn.get<DigestRow>(DIGEST + said.notification);
    if (digest === undefined || digest.destination !== said.destination) return;
    for (const number of digest.numbers) {
      const row = this.#rowOf(turn, number);
      const delivery = row?.deliveries.find(({ destination }) => destination === said.destination);
      const attempt = delivery?.digest === said.notification ? delivery.attempt : 0;
      this.#onReportOf(turn, number, { ...said, attempt }, situation);
    }
  }

  #sayUncorrected(turn: Turn, { number, destination }: CorrectionRow, situation: Situation): void {
    const row = this.#rowOf(turn, number);
    if (row !== undefined)
      this.#store(turn, number, row, uncorrected(row, destination, turn.nowAt), situation);
  }

  #rowOf(turn: Turn, number: string): DeliveriesRow | undefined {
    return this.#pending.get(number) ?? turn.get<DeliveriesRow>(SETTLED + number);
  }

  #numbersOf(turn: Turn, id: string): readonly string[] {
    const number = this.#numbers.get(id) ?? turn.text(INDEX + id);
    return number === undefined ? (turn.get<DigestRow>(DIGEST + id)?.numbers ?? []) : [number];
  }

  #say(turn: Turn, number: string, row: DeliveriesRow, core: CoreRow, except?: ReadonlySet<string>): void {
    if (!row.deliveries.some(({ state }) => state === "dispatched")) return;
    this.#dispatcher.say(turn, row, turn.get<Notification>(HISTORY + number), core, except);
  }

  #saying(turn: Turn, core: CoreRow): SayRepeat {
    return (number, row, except) => this.#say(turn, number, row, core, except);
  }

  #decide(
    turn: Turn,
    number: string,
    notification: Notification,
    row: Omit<DeliveriesRow, "trace"> & { readonly trace?: DeliveriesRow["trace"] },
    situation: Situation,
    busy: ReadonlySet<string>,
  ): Decision[] {
    const { core, routing } = situation;
    const progress = {
      takenAt: row.againAt ?? row.takenAt ?? row.trace?.[0]?.at ?? notification.receivedAt,
      deliveries: row.deliveries,
      duplicateOf: row.duplicateOf ?? null,
      burstUntilAt: row.burstUntilAt ?? null,
      snoozedUntilAt: row.own?.untilAt ?? null,
      isRead: row.own?.state === "read",
      isAcknowledged: row.own?.state === "acked",
      smsSentToday: smsSentToday(turn, routing),
      // What may have been lost must not be overtaken: it will be repeated.
      busy: this.#isFull ? allOf(core) : busy.union(new Set(this.#pending.silent(turn.nowAt, number))),
    };
    return decide(
      {
        notification,
        priority: priorityOf(turn.get<SubscriptionRow>(SUBSCRIPTION + notification.source), notification),
      },
      routing,
      core.destinations,
      situation,
      progress,
      turn.nowAt,
    );
  }

  #count(turn: Turn, decisions: readonly Decision[], { routing }: Situation): void {
    for (const { action, destination } of decisions)
      if (action === "dispatch" && destination.channel === "sms") countSms(turn, routing);
  }

  #store(
    turn: Turn,
    number: string,
    before: DeliveriesRow | undefined,
    after: DeliveriesRow,
    situation: Situation,
  ): void {
    noteDecided(turn, number, before, after);
    const wasOpen = this.#pending.has(number);
    if (after.deliveries.some((delivery) => this.#mustWait(delivery, turn.nowAt, situation))) {
      this.#pending.keep(number, after, turn.nowAt);
      if (after !== before) turn.put(PENDING + number, after);
      if (!wasOpen && before !== undefined) turn.delete(SETTLED + number);
      const alarmAt = nextAlarmAt(after, turn.nowAt);
      if (alarmAt !== null && (turn.alarmAt === null || turn.alarmAt > alarmAt)) turn.setAlarm(alarmAt);
      return;
    }
    this.#pending.forget(number);
    if (wasOpen) turn.delete(PENDING + number);
    if (wasOpen || after !== before) turn.put(SETTLED + number, after);
  }

  /** A handed delivery is waited for while its client may still leave without a receipt that it usually sends. */
  #mustWait(delivery: Delivery, nowAt: number, { core }: Situation): boolean {
    if (delivery.state !== "handed") return isOpen(delivery);
    const address = core.destinations.find(({ id }) => id === delivery.destination)?.address;
    const isDoubted = nowAt - delivery.at < HANDED_DOUBT_MS && this.#pending.size < MOST_DOUBTED;
    return isDoubted && address !== undefined && core.receiptsFrom.includes(address);
  }
}

function allOf({ destinations }: CoreRow): Set<string> {
  return new Set(destinations.map(({ id }) => id));
}
