/**
 * The commands of the chat for clients that show them as a menu (XEP-0050). Only the user's own verified addresses see it; for
 * others it is empty, and a command is forbidden.
 */
import { randomUUID } from "node:crypto";
import { RateLimit, type Standing } from "@tidings/agent";
import { bareJid, CallError, cleanText, type Element, splitJid } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { asking, ended, MENU, menuInfo, menuItems, type Request, readRequest } from "./ad-hoc-forms.ts";
import { parseCommand } from "./commands.ts";
import { NS } from "./namespaces.ts";
import { failureReply, type Means, perform } from "./perform.ts";
import { errorTo, resultOf } from "./stanza-answers.ts";

const MINUTE_MS = 60_000;
const FORBIDDEN = new CallError(
  "auth",
  "forbidden",
  "This address is not linked. Ask for a code on your Tidings page, under destinations, and send it here.",
);
const NO_COMMAND = new CallError("cancel", "item-not-found", "There is no such command; ask for the list.");
const TOO_FAST = new CallError("wait", "policy-violation", "That was a lot at once. Please wait a minute.");

export class AdHoc {
  readonly #means: Means;
  readonly #lastTo: (user: string, address: string) => string | null;
  readonly #log: Log;
  readonly #pace = new RateLimit(20, MINUTE_MS);

  /** `lastTo` as for the conversation. */
  constructor(means: Means, lastTo: (user: string, address: string) => string | null, log: Log) {
    this.#means = means;
    this.#lastTo = lastTo;
    this.#log = log;
  }

  /** The answer to a request for commands; null when `iq` is something else. */
  async answer(iq: Element, standing: Standing, nowAt: number): Promise<Element | null> {
    const [asked] = iq.getChildElements();
    if (asked?.is("command", NS.commands) && iq.attrs.type === "set") {
      if (standing !== "verified") return errorTo(iq, FORBIDDEN);
      return this.#command(iq, readRequest(asked), nowAt);
    }
    return asked === undefined || iq.attrs.type !== "get" ? null : discovered(iq, asked, standing);
  }

  async #command(iq: Element, request: Request | null, nowAt: number): Promise<Element | null> {
    if (request === null) return errorTo(iq, NO_COMMAND);
    const { item, wish } = request;
    const sessionId = request.sessionId ?? randomUUID();
    if (wish === "cancel") return resultOf(iq, ended(item, sessionId, "canceled", null));
    if (wish === "ask") return resultOf(iq, asking(item, sessionId, null));
    const command = parseCommand(wish.text);
    if (command.name === "incomplete") return resultOf(iq, asking(item, sessionId, command.hint));
    if (this.#pace.take(bareJid(iq.attrs.from), nowAt) !== "yes") return errorTo(iq, TOO_FAST);
    return resultOf(iq, ended(item, sessionId, "completed", await this.#perform(iq, command, nowAt)));
  }

  async #perform(
    { attrs }: Element,
    command: ReturnType<typeof parseCommand>,
    nowAt: number,
  ): Promise<{ type: "info" | "error"; text: string }> {
    const user = splitJid(attrs.to).local;
    const address = bareJid(attrs.from);
    // Nobody sends an IQ again, and some clients count their ids anew in each session: it is an operation of its own.
    const op = `im.${randomUUID()}`;
    const asker = { user, address, op, about: this.#lastTo(user, address), quote: null };
    try {
      return { type: "info", text: cleanText(await perform(command, asker, this.#means, nowAt)) };
    } catch (error) {
      this.#log.warn({ err: error, user, command: command.name }, "a command failed");
      return { type: "error", text: cleanText(failureReply(error)) };
    }
  }
}

function discovered(iq: Element, asked: Element, standing: Standing): Element | null {
  const node: unknown = asked.attrs.node;
  if (asked.is("query", NS.discoItems) && node === NS.commands)
    return resultOf(iq, menuItems(iq.attrs.to, standing === "verified" ? MENU : []));
  if (!asked.is("query", NS.discoInfo) || typeof node !== "string") return null;
  const item = MENU.find((one) => one.node === node);
  if (item === undefined && node !== NS.commands) return null;
  return item !== undefined && standing !== "verified"
    ? errorTo(iq, FORBIDDEN)
    : resultOf(iq, menuInfo(node, item));
}
