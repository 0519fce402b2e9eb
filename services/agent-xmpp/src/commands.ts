/** What a user can say to the agent, as text. Pure: it reads, and does nothing. */

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
  /** Understood as a command, but something is missing or wrong; `hint` says what to send. */
  | { readonly name: "incomplete"; readonly hint: string }
  | { readonly name: "unknown" };

/** Reads a chat message. Case and surrounding white space do not matter; a bare web address means `add`. */
export function parseCommand(text: string): Command {
  const trimmed = text.trim();
  if (/^(https?|feed):\S+$/i.test(trimmed)) return { name: "add", url: trimmed };
  const [word = "", ...rest] = trimmed.split(/\s+/);
  const argument = rest.join(" ");
  switch (word.toLowerCase().replace(/^\//, "")) {
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
    default:
      return { name: "unknown" };
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
