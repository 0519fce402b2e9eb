/** Times as people read them: relative to one hour, then clock, then date; exact on hover. */
import { signal } from "@preact/signals";

/** Moves every 15 s, and with it what is shown. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 15_000);

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const second = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

export function age(time: string): string {
  // What is older does not change with each look at the clock, and there may be thousands of it.
  const isYoung = Date.now() - Date.parse(time) < 3_600_000;
  const minutes = isYoung ? Math.floor((now.value - Date.parse(time)) / 60_000) : 60;
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  return whenOf(time);
}

export function exactly(time: string): string {
  return exact.format(new Date(time));
}

/** To the millisecond, as a trace shows it. */
export function toTheMillisecond(time: string): string {
  return second.format(new Date(time));
}

export function clockOf(time: string): string {
  return clock.format(new Date(time));
}

/** On the clock when it was today, else the day. */
export function whenOf(time: string): string {
  const isToday = new Date(time).toDateString() === new Date().toDateString();
  return (isToday ? clock : date).format(new Date(time));
}
