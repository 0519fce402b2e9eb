/**
 * How much may be sent, so that neither a mistake nor somebody who lives on it can make a bill.
 *
 *     stopped by its owner ─▶ breaker ─▶ per number ─▶ per block of numbers ─▶ per day ─▶ per hour ─▶ goes
 *                                ▲                                                           │
 *                                └────────── open for an hour, and a person is called ◀──────┘
 *
 * Pure: what was sent comes in as counts. Whatever is refused here is refused for good: the user's next destination is to
 * take over now, not tomorrow.
 */
import type { Refusal } from "@tidings/agent";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Over how long the caps count (milliseconds). */
export const CAP_WINDOWS = { capMs: DAY_MS, breakerMs: HOUR_MS } as const;

export interface Limits {
  /** Messages to one number in 24 hours. */
  readonly perNumber: number;
  /** Messages to one block of ten thousand numbers in 24 hours. */
  readonly perPrefix: number;
  /** Segments of the whole installation in 24 hours. */
  readonly segmentsPerDay: number;
  /** Segments of the whole installation in an hour, above which the breaker opens. */
  readonly segmentsPerHour: number;
}

export interface Usage {
  readonly ofNumber: number;
  readonly ofPrefix: number;
  readonly segmentsOfDay: number;
  readonly segmentsOfHour: number;
  /** The owner of the number has asked to be left alone. */
  readonly isStopped: boolean;
  /** Until when the breaker is open, epoch milliseconds; 0 when it has never been. */
  readonly brokenUntilAt: number;
}

export interface Allowance {
  /** Null: it may go. */
  readonly refusal: Refusal | null;
  /** When this message opens the breaker: until when. */
  readonly breaksUntilAt: number | null;
}

/** Whether a message of `segments` may go at `nowAt` (epoch milliseconds). */
export function allowance(segments: number, usage: Usage, limits: Limits, nowAt: number): Allowance {
  if (usage.isStopped)
    return no("The owner of this number has sent STOP. Send START from it to get messages again.");
  if (usage.brokenUntilAt > nowAt)
    return no("So many messages went out at once that all sending has stopped; the operator has been told.");
  if (usage.ofNumber >= limits.perNumber)
    return no(`This number has had its ${limits.perNumber} messages of 24 hours.`);
  if (usage.ofPrefix >= limits.perPrefix)
    return no("Numbers of this range have had all that they may get in 24 hours.");
  if (usage.segmentsOfDay + segments > limits.segmentsPerDay)
    return no("This installation has sent all messages that it may send in 24 hours.");
  if (usage.segmentsOfHour + segments <= limits.segmentsPerHour)
    return { refusal: null, breaksUntilAt: null };
  return {
    ...no("So many messages went out at once that all sending stops now."),
    breaksUntilAt: nowAt + HOUR_MS,
  };
}

function no(text: string): Allowance {
  return { refusal: { condition: "policy-violation", mayRetry: false, text }, breaksUntilAt: null };
}
