/**
 * What a person can answer to a message, in words. Pure: it reads, and does nothing.
 *
 *     ack · a           I have seen it            12a · 12 ack · ack 12     … the message 12, not the last one
 *     snooze 1h · s 2h  tell me again later       more · m                  send me the rest
 *     2 · 2 at six      the second option           reply 2 · r at six      … or words, 12r 2: of the message 12
 *     STOP              no more messages          START · HELP
 */
import { ANSWER_CHARS, type Deed, MAX_SNOOZE_MS } from "@tidings/protocol";

const HOUR_MS = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS };
const MAX_CHARS = 160;

/** The words that networks and the provider agree on, https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out. */
const KEYWORDS: Readonly<Record<string, "stop" | "start" | "help">> = {
  stop: "stop",
  stopall: "stop",
  unsubscribe: "stop",
  cancel: "stop",
  end: "stop",
  quit: "stop",
  start: "start",
  unstop: "start",
  yes: "start",
  help: "help",
  info: "help",
};

export interface Reply {
  /** The number of the message that is meant; null: the last one. */
  readonly reference: number | null;
  readonly deed: Deed;
}

/** Reads an answer; null when it is none. Case, white space and a full stop do not matter. */
export function readReply(text: string): Reply | null {
  const whole = text.trim().slice(0, ANSWER_CHARS);
  return readSourceReply(whole) ?? readDeed(whole) ?? readOption(whole);
}

function readDeed(whole: string): Reply | null {
  const said = whole
    .slice(0, MAX_CHARS)
    .toLowerCase()
    .replace(/[.!\s]+$/, "");
  const keyword = Object.hasOwn(KEYWORDS, said) ? KEYWORDS[said] : undefined;
  if (keyword !== undefined) return { reference: null, deed: { name: keyword } as Deed };
  const [, before, word = "", rest = ""] = /^#?(\d{1,3})?\s*([a-z]+)\s*(.*)$/.exec(said) ?? [];
  const first = before === undefined ? null : Number(before);
  switch (word) {
    case "ack":
    case "a":
      return about(first, rest, { name: "ack" } as Deed);
    case "more":
    case "m":
      return about(first, rest, { name: "more" } as Deed);
    case "snooze":
    case "s":
      return snooze(first, rest);
    default:
      return null;
  }
}

/** An option by its number, alone or with words: what it means only the notification's own options tell. */
function readOption(text: string): Reply | null {
  return /^[1-5]([.!]|[\s:,.]+\S.*)?$/s.test(text)
    ? { reference: null, deed: { name: "reply", said: text } }
    : null;
}

function readSourceReply(text: string): Reply | null {
  const [, before, said] = /^#?(\d{1,3})?\s*(?:reply|r)(?=[\s\d:])[\s:]*(\S.*)$/is.exec(text) ?? [];
  if (said === undefined) return null;
  return { reference: before === undefined ? null : Number(before), deed: { name: "reply", said } };
}

function about(before: number | null, rest: string, deed: Deed): Reply | null {
  if (rest === "") return { reference: before, deed };
  return before === null && /^#?\d{1,3}$/.test(rest)
    ? { reference: Number(rest.replace("#", "")), deed }
    : null;
}

/** `snooze` alone is an hour. */
function snooze(reference: number | null, rest: string): Reply | null {
  const [, count, unit = ""] = /^(?:for )?(\d{1,3}) ?([mhd])[a-z]*$/.exec(rest === "" ? "1h" : rest) ?? [];
  const forMs = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (!(forMs >= 60_000 && forMs <= MAX_SNOOZE_MS)) return null;
  return { reference, deed: { name: "snooze", forMs } as Deed };
}
