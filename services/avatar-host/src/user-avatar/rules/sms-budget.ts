/**
 * A day's SMS. Each priority may use the budget up to its own mark and no further, so that what is least urgent is given
 * up first and some is left for what is urgent.
 */
import type { Priority } from "@tidings/protocol";

const SHARE: Readonly<Record<Priority, number>> = { min: 0.2, low: 0.4, default: 0.6, high: 0.8, urgent: 1 };

/** Whether one more SMS may go after `sentToday` of at most `mostPerDay`. */
export function mayUseSms(priority: Priority, sentToday: number, mostPerDay: number): boolean {
  return sentToday < Math.floor(mostPerDay * SHARE[priority]);
}
