/**
 * Chat with the agent. Who is spoken to, and how, goes by the standing of the address with that user:
 *
 *     verified ──▶ commands       unverified ──▶ the code, and nothing else
 *     stranger ──▶ one polite line a day          no such user ──▶ item-not-found
 */
import { RateLimit, type Standing, type Standings } from "@tidings/agent";
import { bareJid, CallError, type Element, xml } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { parseCommand } from "./commands.ts";
import { operationOf, replyTo } from "./exchange.ts";
import { NS } from "./namespaces.ts";
import { failureReply, type Means, perform } from "./perform.ts";
import { LINKED, STRANGER, TOO_FAST, UNVERIFIED } from "./replies.ts";
import { ageMs, readSaid, type Said } from "./said.ts";
import { errorTo, NO_SUCH_USER, NOT_NOW } from "./stanza-answers.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A message that was stored for longer is from another conversation. */
const MAX_AGE_MS = 60 * MINUTE_MS;
const MAX_CODE_CHARS = 40;

export class Conversation {
  readonly #means: Means;
  readonly #standings: Standings;
  readonly #log: Log;
  readonly #pace = new RateLimit(20, MINUTE_MS);
  /** The answer in progress for each address; bounded by the pace. */
  readonly #talks = new Map<string, Promise<void>>();
  readonly #strangers = new RateLimit(1, DAY_MS);
  readonly #lastTo: (user: string, address: string) => string | null;

  /** `lastTo` tells the id of the message that an address got last, or null when only the avatar knows it. */
  constructor(
    means: Means,
    standings: Standings,
    lastTo: (user: string, address: string) => string | null,
    log: Log,
  ) {
    this.#means = means;
    this.#standings = standings;
    this.#lastTo = lastTo;
    this.#log = log;
  }

  /** A message with a body has come from an account. What one address says is answered in order, one after the other. */
  async heard(message: Element, nowAt: number): Promise<void> {
    const said = readSaid(message);
    if (said === null || ageMs(message, nowAt) > MAX_AGE_MS) return;
    const pace = this.#pace.take(said.address, nowAt);
    if (pace === "no") return;
    const before = this.#talks.get(said.address) ?? Promise.resolve();
    const talk = before
      .then(() => this.#respond(said, pace, nowAt))
      .catch((error) => this.#failed(said, error));
    this.#talks.set(said.address, talk);
    await talk;
    if (this.#talks.get(said.address) === talk) this.#talks.delete(said.address);
  }

  async #respond(said: Said, pace: "yes" | "last", nowAt: number): Promise<void> {
    const standing = await this.#standingOf(said);
    if (standing === null) return this.#send(errorTo(said.message, NOT_NOW));
    if (pace === "last") return standing === "verified" ? this.#reply(said, TOO_FAST) : undefined;
    switch (standing) {
      case "verified":
        return this.#obey(said, nowAt);
      case "unverified":
        return this.#link(said);
      case "stranger":
        return this.#strangers.take(said.address, nowAt) === "yes" ? this.#reply(said, STRANGER) : undefined;
      case "noUser":
        return this.#send(errorTo(said.message, NO_SUCH_USER));
    }
  }

  #failed({ user }: Said, error: unknown): void {
    this.#log.warn({ err: error, user }, "a message was not answered");
  }

  async #standingOf({ user, address }: Said): Promise<Standing | null> {
    try {
      return await this.#standings.of(user, address, true);
    } catch (error) {
      this.#log.warn({ err: error, user }, "the avatar could not be asked for an address");
      return null;
    }
  }

  async #obey(said: Said, nowAt: number): Promise<void> {
    const { user, address, message } = said;
    const command = parseCommand(said.text);
    await this.#confirmReceipt(message);
    if (command.name === "add") await this.#showComposing(said);
    try {
      const about = said.repliesTo ?? this.#lastTo(user, address);
      const asker = { user, address, op: operationOf(said.message, said.text), about, quote: said.quote };
      await this.#reply(said, await perform(command, asker, this.#means, nowAt));
    } catch (error) {
      this.#log.warn({ err: error, user, command: command.name }, "a command failed");
      await this.#reply(said, failureReply(error));
    }
  }

  /** The address is to be linked: the message should be the code, which proves that its owner reads the page too. */
  async #link(said: Said): Promise<void> {
    const { user, address } = said;
    const code = said.text.replace(/\s+/g, "");
    if (code.length > MAX_CODE_CHARS || !/\d/.test(code)) return this.#reply(said, UNVERIFIED);
    const { bus, addresses } = this.#means;
    try {
      await bus.call({
        from: addresses.im,
        to: `${user}@${addresses.silo}`,
        name: "verifyAddress",
        args: { address, code },
        authority: null,
        op: operationOf(said.message, said.text),
      });
      this.#standings.forget(user, address);
      this.#log.info({ user }, "an address was linked");
      await this.#reply(said, LINKED);
    } catch (error) {
      if (!(error instanceof CallError)) this.#log.warn({ err: error, user }, "a code could not be checked");
      await this.#reply(said, failureReply(error));
    }
  }

  #reply({ message }: Said, text: string): Promise<void> {
    return this.#send(replyTo(message, text));
  }

  /** Fetching takes a while: the client shows that somebody is at it (XEP-0085). */
  #showComposing({ message, user }: Said): Promise<void> {
    const to = message.attrs.from;
    return this.#send(
      xml(
        "message",
        { type: "chat", from: this.#agentOf(user), to },
        xml("composing", { xmlns: NS.chatStates }),
        xml("no-store", { xmlns: NS.hints }),
      ),
    );
  }

  /** XEP-0184 §5.3, for who may know that the agent has read it. */
  async #confirmReceipt(message: Element): Promise<void> {
    const { from, to, id } = message.attrs;
    if (id === undefined || message.getChild("request", NS.receipts) === undefined) return;
    await this.#send(
      xml(
        "message",
        { type: "chat", from: bareJid(to), to: from },
        xml("received", { xmlns: NS.receipts, id }),
      ),
    );
  }

  async #send(stanza: Element | null): Promise<void> {
    if (stanza !== null) await this.#means.bus.send(stanza);
  }

  #agentOf(user: string): string {
    return `${user}@${this.#means.addresses.im}`;
  }
}
