/**
 * What a source avatar has to do at a time: rows in the order of their times, the first of which is the alarm.
 *
 *     due/<epoch ms, 14 digits>/<what>/<id>  {…}
 */
import type { Turn } from "../shard/turn.ts";
import { DUE } from "./rows.ts";

/** Done in one turn; the rest follows in the next. */
const AT_ONCE = 100;
const DIGITS = 14;

export interface Due {
  readonly at: number;
  readonly what: string;
  readonly id: string;
  readonly value: unknown;
}

/** Puts something on the agenda at `at` (epoch milliseconds). */
export function plan(turn: Turn, at: number, what: string, id: string, value: unknown = null): void {
  turn.put(keyOf(at, what, id), value);
  if (turn.alarmAt === null || turn.alarmAt > at) turn.setAlarm(at);
}

/** Takes off what an earlier turn has put there. Called before anything is planned in this one. */
export function unplan(turn: Turn, at: number, what: string, id: string): void {
  const key = keyOf(at, what, id);
  turn.delete(key);
  if (turn.alarmAt !== at) return;
  const next = turn.list({ from: DUE, to: `${DUE}\uffff`, limit: 2 }).find((row) => row.key !== key);
  turn.setAlarm(next === undefined ? null : partsOf(next.key).at);
}

/** Takes what is due off the agenda, oldest first, and sets the alarm for what is next. Called at the begin of a turn. */
export function takeDue(turn: Turn): Due[] {
  const rows = turn.list({ from: DUE, to: `${DUE}\uffff`, limit: AT_ONCE + 1 });
  const all = rows.map(({ key, value }) => ({ key, ...partsOf(key), value: JSON.parse(value) as unknown }));
  const due = all.slice(0, AT_ONCE).filter(({ at }) => at <= turn.nowAt);
  for (const { key } of due) turn.delete(key);
  turn.setAlarm(all[due.length]?.at ?? null);
  return due;
}

function keyOf(at: number, what: string, id: string): string {
  return `${DUE}${String(Math.round(at)).padStart(DIGITS, "0")}/${what}/${id}`;
}

function partsOf(key: string): Omit<Due, "value"> {
  const [, at, what = "", ...id] = key.split("/");
  return { at: Number(at), what, id: id.join("/") };
}
