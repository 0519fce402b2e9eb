/**
 * The ladder: which of the user's destinations comes next for a notification.
 *
 *     im ──nobody there──▶ next rung, at once
 *     im ──dispatched──▶ [unless received within T] ──not yet──▶ wait ──T is over, nothing──▶ next rung
 *                                                  └──received──▶ end: nowhere else
 *
 * A notification is under way at one destination at a time: a further one is used only when that one has refused it, or
 * when an `unless` on the ladder has waited in vain for its proof.
 */
import type { Channel } from "@tidings/protocol";
import { type Delivery, type DestinationRow, PAGE } from "../rows.ts";
import { PRESENT, type Standing, standingAt, standingFor, standingOf, type Whereabouts } from "./reach.ts";
import { type Reason, reasons } from "./reason.ts";
import type { LadderPlan, LadderStep } from "./routing.ts";

/** Where one destination stands after the climb. `untilAt` is null when only news can change it. */
export type Outcome =
  | { readonly action: "dispatch"; readonly because: Reason }
  | { readonly action: "hold"; readonly untilAt: number | null; readonly because: Reason }
  | { readonly action: "skip"; readonly because: Reason };

export interface Climbing {
  readonly ladder: LadderPlan;
  /** The verified ones, in the user's order. */
  readonly destinations: readonly DestinationRow[];
  readonly deliveries: readonly Delivery[];
  readonly whereabouts: Whereabouts;
  /** The user has read it on the page, which proves that they have it. */
  readonly isRead: boolean;
  /** Destinations at which earlier notifications wait in line. */
  readonly busy: ReadonlySet<string>;
  /** From when waits count, epoch milliseconds. */
  readonly beganAt: number;
  readonly nowAt: number;
  /** Why no SMS may be sent now, or null. */
  readonly smsRefusal: Reason | null;
}

interface UnderWay {
  readonly address: string;
  readonly sentAt: number;
}

export class Climb {
  readonly #of: Climbing;
  readonly #byId: ReadonlyMap<string, Delivery>;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #user: Standing;
  /** Where it is under way, as far as the ladder has been climbed. */
  #underWay: UnderWay | null = null;
  /** Where it is under way, and the climb has not come yet: the ladder has been above this rung before. */
  #ahead: readonly Delivery[];
  /** An `unless` has been met since the last destination under way: what comes next may be used beside it. */
  #mayAdd = false;
  #clockAt: number;
  #blocked: Outcome | null = null;
  /** Held on the rungs so far: they need not wait once a later one is used. */
  #waiting: DestinationRow[] = [];
  /** Why the rung before was not enough, for the reason of the next. */
  #before: Reason | null = null;

  constructor(climbing: Climbing) {
    this.#of = climbing;
    this.#clockAt = climbing.beganAt;
    this.#byId = new Map(climbing.deliveries.map((delivery) => [delivery.destination, delivery]));
    this.#user = standingOf(climbing.whereabouts, climbing.destinations);
    // A page that shows what was not sent there is proof, and keeps nobody else from being told.
    const isOnLadder = climbing.ladder.some((step) => step.kind === "rung" && step.to === PAGE.channel);
    const isSent = (one: Delivery) => isUnderWay(one) && (isOnLadder || one.channel !== PAGE.channel);
    this.#ahead = climbing.deliveries.filter(isSent);
  }

  /** What is to be done at each destination on the ladder that has not been tried; others are not in it. */
  outcomes(): Map<string, Outcome> {
    for (const step of this.#of.ladder) this.#step(step);
    return this.#outcomes;
  }

  #step(step: LadderStep): void {
    if (step.kind === "wait") this.#wait(step.ms);
    else if (step.kind === "unless") this.#unless(step.proof, step.ms);
    else this.#rung(step);
  }

  #wait(ms: number): void {
    this.#clockAt += ms;
    if (this.#of.nowAt < this.#clockAt) this.#block(this.#clockAt, reasons.wait(this.#clockAt));
  }

  /** With nothing under way there is nothing to wait for. */
  #unless(proof: "received" | "acked", ms: number): void {
    if (this.#underWay === null) return;
    const { address, sentAt } = this.#underWay;
    if (this.#isProven(proof)) return;
    const dueAt = Math.max(this.#clockAt, sentAt) + ms;
    this.#mayAdd = true;
    if (this.#of.nowAt < dueAt) this.#block(dueAt, reasons.unconfirmed(address, proof, dueAt));
    else {
      this.#clockAt = dueAt;
      this.#before = reasons.notInTime(address, proof);
    }
  }

  #isProven(proof: "received" | "acked"): boolean {
    if (proof === "received" && this.#of.isRead) return true;
    return this.#of.deliveries.some(
      ({ state }) =>
        state === "acted" || (proof === "received" && (state === "received" || state === "displayed")),
    );
  }

  #block(untilAt: number, because: Reason): void {
    this.#blocked ??= { action: "hold", untilAt, because };
  }

  #rung(step: LadderStep & { kind: "rung" }): void {
    const here = this.#of.destinations.filter(({ id, channel }) => id === step.id || channel === step.to);
    const sent = this.#ahead.filter(({ destination }) => here.some(({ id }) => id === destination));
    if (sent.length > 0) this.#passed(sent);
    const open = here.filter(({ id }) => isUntried(this.#byId.get(id)));
    if (this.#ahead.length > 0 || (this.#underWay !== null && !this.#mayAdd)) {
      for (const one of open) this.#set(one.id, { action: "skip", because: this.#elsewhere(one) });
    } else if (this.#blocked !== null) {
      for (const one of open) this.#set(one.id, this.#blocked);
    } else this.#try(step, open);
  }

  /** The rung has been used before: what comes after it needs an `unless` again. */
  #passed(sent: readonly Delivery[]): void {
    this.#ahead = this.#ahead.filter((delivery) => !sent.includes(delivery));
    this.#underWay = this.#latest(sent);
    this.#mayAdd = false;
  }

  #latest(sent: readonly Delivery[]): UnderWay | null {
    const last = sent.reduce<Delivery | null>(
      (a, b) => (a !== null && sentAtOf(a) >= sentAtOf(b) ? a : b),
      null,
    );
    if (last === null) return null;
    const address = this.#of.destinations.find(({ id }) => id === last.destination)?.address;
    return { address: address ?? last.destination, sentAt: sentAtOf(last) };
  }

  #try(step: LadderStep & { kind: "rung" }, open: readonly DestinationRow[]): void {
    const chosen = this.#choose(step, open);
    if (chosen === null) return;
    const { address, channel } = chosen;
    const because = isTold(channel)
      ? reasons.reachable(address, standingFor(this.#of.whereabouts, chosen, this.#user).show)
      : reasons.nextRung(address, this.#before);
    this.#set(chosen.id, { action: "dispatch", because });
    this.#underWay = { address, sentAt: this.#of.nowAt };
    this.#mayAdd = false;
    for (const one of [...this.#waiting, ...open]) {
      if (one !== chosen) this.#outcomes.set(one.id, { action: "skip", because: this.#elsewhere(one) });
    }
    this.#waiting = [];
  }

  /** The destination of the rung where the user is most present; the others are noted with what keeps them. */
  #choose(step: LadderStep & { kind: "rung" }, open: readonly DestinationRow[]): DestinationRow | null {
    let best: DestinationRow | null = null;
    let bestShow = -1;
    for (const one of open) {
      const obstacle = this.#obstacle(step, one);
      if (obstacle !== null) {
        this.#set(one.id, obstacle);
        if (obstacle.action === "hold") this.#waiting.push(one);
        this.#before = obstacle.because;
        continue;
      }
      const show = one.channel === "im" ? PRESENT[standingAt(this.#of.whereabouts, one.address).show] : 0;
      if (show > bestShow) [best, bestShow] = [one, show];
    }
    return best;
  }

  /** What keeps a destination from being used now, or null. */
  #obstacle(step: LadderStep & { kind: "rung" }, { id, channel, address }: DestinationRow): Outcome | null {
    const { nowAt, whereabouts, smsRefusal, busy } = this.#of;
    const retryAt = this.#byId.get(id)?.retryAt;
    if (retryAt !== undefined && nowAt < retryAt)
      return { action: "hold", untilAt: retryAt, because: reasons.retrying(address, retryAt) };
    const standing = standingFor(whereabouts, { channel, address }, this.#user);
    if (isTold(channel) && standing.show === "offline") {
      const because = channel === "web" ? reasons.noPage() : reasons.offline(address);
      return { action: "hold", untilAt: null, because };
    }
    const holds = step.holds(standing, nowAt);
    if (holds !== true)
      return { action: "hold", untilAt: holds, because: reasons.unmet(address, standing.show) };
    if (channel === "sms" && smsRefusal !== null) return { action: "skip", because: smsRefusal };
    if (busy.has(id)) return { action: "hold", untilAt: null, because: reasons.inLine() };
    return null;
  }

  /** A destination may stand on several rungs: what does most for it counts, and of the same the first. */
  #set(id: string, outcome: Outcome): void {
    const before = this.#outcomes.get(id);
    if (before === undefined || WEIGHT[outcome.action] > WEIGHT[before.action])
      this.#outcomes.set(id, outcome);
  }

  #elsewhere({ channel, address }: DestinationRow): Reason {
    const where = (this.#latest(this.#ahead) ?? this.#underWay)?.address ?? "another address";
    const isGone = channel === "im" && standingAt(this.#of.whereabouts, address).show === "offline";
    return isGone ? reasons.offlineButReached(address, where) : reasons.reachedElsewhere(where);
  }
}

const WEIGHT = { skip: 0, hold: 1, dispatch: 2 } as const;

/** The channels of which somebody tells who can be reached there now. */
function isTold(channel: Channel): boolean {
  return channel === "im" || channel === "web";
}

/** Whether it is there, or on its way. */
export function isUnderWay({ state }: Delivery): boolean {
  return state !== "held" && state !== "skipped" && state !== "refused" && state !== "expired";
}

/** Whether a destination is still open to be used. What was given up for its price stays given up. */
export function isUntried(delivery: Delivery | undefined): boolean {
  if (delivery === undefined || delivery.state === "held") return true;
  return delivery.state === "skipped" && delivery.because !== "smsBudget";
}

function sentAtOf({ sentAt, at }: Delivery): number {
  return sentAt ?? at;
}
