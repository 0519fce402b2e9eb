/** What a user can say to the agent, as text. Pure: it reads, and does nothing. */
import { readReply } from "@tidings/agent";

const DAY_MS = 24 * 3_600_000;
const MAX_PAUSE_MS = 30 * DAY_MS;
const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };

export type Command =
  | { readonly name: "help" }
  | { readonly name: "list" }
  | { readonly name: "add"; readonly url: string }
  | { readonly name: "remove"; readonly position: number }
  | { readonly name: "pause"; readonly forMs: number }
  | { readonly name: "resume" }
  /** These are about one message: the one that is replied to, or the last. */
  | { readonly name: "ack" }
  | { readonly name: "snooze"; readonly forMs: number }
  | { readonly name: "more" }
  | { readonly name: "why" }
  /** What the user answers to what the message tells. */
  | { readonly name: "reply"; readonly said: string }
  /** Understood as a command, but something is missing or wrong; `hint` says what to send. */
  | { readonly name: "incomplete"; readonly hint: string }
  | { readonly name: "unknown" };

/** Reads a chat message. Case and surrounding white space do not matter; a bare web address means `add`. */
export function parseCommand(text: string): Command {
  const trimmed = text.trim();
  if (/^(https?|feed):\S+$/i.test(trimmed)) return { name: "add", url: trimmed };
  const [word = "", ...rest] = trimmed.split(/\s+/);
  const argument = rest.join(" ");
  switch (word.toLowerCase().replace(/^\/|[.!]+$/g, "")) {
    case "help":
    case "?":
      return { name: "help" };
    case "list":
      return { name: "list" };
    case "add":
      return parseAdd(argument);
    case "remove":
      return parseRemove(argument);
    case "pause":
      return parsePause(argument);
    case "resume":
      return { name: "resume" };
    case "why":
      return { name: "why" };
    case "reply":
    case "ack":
    case "snooze":
    case "more":
      return parseDeed(trimmed.replace(/^\//, ""));
    default:
      return readReply(trimmed)?.deed.name === "reply" ? parseDeed(trimmed) : { name: "unknown" };
  }
}

/** The words that answer a text message or a mail, too. A number is not needed here: the message is replied to. */
function parseDeed(text: string): Command {
  const reply = readReply(text);
  const deed = reply?.reference === null ? reply.deed : null;
  switch (deed?.name) {
    case "ack":
    case "more":
      return { name: deed.name };
    case "snooze":
      return { name: "snooze", forMs: deed.forMs };
    case "reply":
      return { name: "reply", said: deed.said };
    default:
      return {
        name: "incomplete",
        hint: "Send ack, more, snooze 1h (30m, 2h, 1d), or reply and what you answer, alone or as a reply to the message that you mean.",
      };
  }
}

function parseAdd(argument: string): Command {
  const url = argument.replace(/^<(.*)>$/, "$1");
  if (url === "" || /\s/.test(url))
    return { name: "incomplete", hint: "Send: add <address of a page or a feed>" };
  return { name: "add", url };
}

function parseRemove(argument: string): Command {
  const position = Number(argument.replace(/^#/, ""));
  if (!Number.isInteger(position) || position < 1) {
    return { name: "incomplete", hint: 'Send: remove <number>, with a number that "list" shows.' };
  }
  return { name: "remove", position };
}

function parsePause(argument: string): Command {
  if (argument === "") return { name: "pause", forMs: DAY_MS };
  const [, count, unit = ""] = /^(?:for )?(\d{1,4}) ?([mhdw])[a-z]*$/i.exec(argument) ?? [];
  const forMs = Number(count) * (UNIT_MS[unit.toLowerCase()] ?? Number.NaN);
  if (!(forMs > 0)) return { name: "incomplete", hint: "Send: pause 30m, pause 2h or pause 1d" };
  return { name: "pause", forMs: Math.min(forMs, MAX_PAUSE_MS) };
}
