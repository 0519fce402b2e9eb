/** What a chat message says, apart from what it only quotes. Pure. */
import { bareJid, type Element, splitJid } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

const MAX_BODY_CHARS = 3_000;
/** As long as the id of a call may be. */
const MAX_ID_CHARS = 100;

export interface Said {
  readonly user: string;
  /** Bare JID for which the user's server vouches. */
  readonly address: string;
  /** Without quotes; never empty. */
  readonly text: string;
  /** The id of the message that it replies to (XEP-0461); null when it names none. */
  readonly repliesTo: string | null;
  /** The first line that it quotes without naming a message, as clients do that know no replies; else null. */
  readonly quote: string | null;
  readonly message: Element;
}

/** Reads a message with a body; null when there is nothing to be read in it. */
export function readSaid(message: Element): Said | null {
  const { from, to } = message.attrs as Record<string, string | undefined>;
  const body = message.getChildText("body")?.slice(0, MAX_BODY_CHARS);
  if (from === undefined || to === undefined || body === undefined) return null;
  const reply = message.getChild("reply", NS.reply);
  const id: unknown = reply?.attrs.id;
  const repliesTo = typeof id === "string" && id !== "" ? id.slice(0, MAX_ID_CHARS) : null;
  const own = repliesTo === null ? body : withoutFallback(message, body);
  const [, quoted, text = ""] = /^((?:>[^\n]*\n+)*)(.*)$/s.exec(own) ?? [];
  if (text.trim() === "") return null;
  const quote = repliesTo === null ? firstLine(quoted ?? "") : null;
  return { user: splitJid(to).local, address: bareJid(from), text, repliesTo, quote, message };
}

/** How long a server kept the message (XEP-0203, milliseconds); 0 when it came straight. */
export function ageMs(message: Element, nowAt: number): number {
  const stampAt = Date.parse(message.getChild("delay", NS.delay)?.attrs.stamp ?? "");
  return Number.isNaN(stampAt) ? 0 : nowAt - stampAt;
}

/** The body without the part that stands for the reply in clients that know none (XEP-0428 §3, in code points). */
function withoutFallback(message: Element, body: string): string {
  const fallback = message
    .getChildren("fallback", NS.fallback)
    .find(({ attrs }) => attrs.for === undefined || attrs.for === NS.reply);
  const { start = "0", end } = (fallback?.getChild("body")?.attrs ?? {}) as Record<
    string,
    string | undefined
  >;
  if (end === undefined) return body;
  const points = [...body];
  return [...points.slice(0, Number(start) || 0), ...points.slice(Number(end) || 0)].join("");
}

function firstLine(quoted: string): string | null {
  const line = quoted
    .split("\n")[0]
    ?.replace(/^[>\s]+/, "")
    .trim();
  return line === undefined || line === "" ? null : line;
}

/** Whether a quote that names no message can be of one with this title: clients quote what they show, cut or not. */
export function isQuoteOf(quote: string, title: string): boolean {
  const shown = quote.replace(/(…|\.\.\.)$/, "").trim();
  return shown !== "" && title.startsWith(shown);
}
