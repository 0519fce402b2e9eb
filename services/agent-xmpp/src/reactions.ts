/**
 * What people do with one tap on a notification (XEP-0444). Who reacts must be where the message went.
 *
 *     ✅ 👍 💤  of a message that this life of the agent has sent ──▶ reported, again and again until the avatar has it
 *               of an earlier one ──▶ the avatar is asked whether it is the user's, and does it
 *     🔕        the avatar mutes the source; the agent says what that means
 *     taken back ──▶ one line that says that nothing changes          anything else ──▶ not-acceptable (XEP-0444 §3.3)
 *
 * Strangers get nothing at all.
 */
import { deedReport, RateLimit, type Reporter, type Standings } from "@tidings/agent";
import { bareJid, CallError, type ChatDeed, type Element, splitJid } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Deliveries } from "./deliveries.ts";
import { operationOf, replyTo } from "./exchange.ts";
import { answer, type Means } from "./perform.ts";
import { ALLOWED, type Reaction, readReaction } from "./reaction-set.ts";
import { mutedReply, NOT_UNDONE } from "./replies.ts";
import { ageMs } from "./said.ts";
import { errorTo, NOT_NOW } from "./stanza-answers.ts";

const MINUTE_MS = 60_000;
/** What a server kept for longer no longer says when something is to come again, or to be muted from. */
const MAX_AGE_MS = 60 * MINUTE_MS;

interface Reacted extends Reaction {
  readonly user: string;
  readonly address: string;
  readonly stanza: Element;
}

export class Reactions {
  readonly #means: Means;
  readonly #standings: Standings;
  readonly #deliveries: Pick<Deliveries, "sentIn">;
  readonly #reporter: Reporter;
  readonly #log: Log;
  readonly #pace = new RateLimit(60, MINUTE_MS);

  constructor(
    means: Means,
    standings: Standings,
    deliveries: Pick<Deliveries, "sentIn">,
    reporter: Reporter,
    log: Log,
  ) {
    this.#means = means;
    this.#standings = standings;
    this.#deliveries = deliveries;
    this.#reporter = reporter;
    this.#log = log;
  }

  /** A message has come from an account; there may be a reaction in it. */
  async heard(stanza: Element, nowAt: number): Promise<void> {
    const reaction = readReaction(stanza);
    const { from, to } = stanza.attrs as Record<string, string | undefined>;
    if (reaction === null || from === undefined || to === undefined) return;
    const reacted = { ...reaction, user: splitJid(to).local, address: bareJid(from), stanza };
    const pace = this.#pace.take(reacted.address, nowAt);
    if (pace === "no") return;
    try {
      if (!(await this.#mayReact(reacted))) return;
      if (pace === "last") await this.#send(errorTo(stanza, NOT_NOW));
      else await this.#seeTo(reacted, nowAt);
    } catch (error) {
      await this.#refuse(reacted, error);
    }
  }

  async #seeTo(reacted: Reacted, nowAt: number): Promise<void> {
    const { deed, stanza } = reacted;
    if (deed === "notAllowed") throw new CallError("modify", "not-acceptable", ALLOWED);
    if (deed === "takenBack") return this.#send(replyTo(stanza, NOT_UNDONE));
    if (deed.name !== "ack" && ageMs(stanza, nowAt) > MAX_AGE_MS) return;
    await this.#carryOut(reacted, deed, nowAt);
  }

  async #mayReact({ user, address, message }: Reacted): Promise<boolean> {
    if (this.#deliveries.sentIn(user, address, message) !== undefined) return true;
    return (await this.#standings.of(user, address)) === "verified";
  }

  async #carryOut(reacted: Reacted, deed: ChatDeed, nowAt: number): Promise<void> {
    const { user, address, message, stanza } = reacted;
    const op = operationOf(stanza, `${message} ${JSON.stringify(deed)}`);
    const known = this.#deliveries.sentIn(user, address, message);
    if (known !== undefined && deed.name !== "mute") {
      this.#log.info({ trace: known.notification, user, deed: deed.name }, "a user reacted");
      this.#reporter.report(deedReport(op, known, deed, nowAt));
      return;
    }
    const answered = await answer(deed, { user, address, op, about: message, quote: null }, this.#means);
    if (deed.name === "mute") await this.#send(replyTo(stanza, mutedReply(answered, nowAt)));
  }

  /** A client that gets an error takes the reaction back where it shows it. */
  #refuse({ stanza, user }: Reacted, error: unknown): Promise<void> {
    const isForUser = error instanceof CallError && error.type !== "wait";
    if (!isForUser) this.#log.warn({ err: error, user }, "a reaction was not seen to");
    return this.#send(errorTo(stanza, isForUser ? error : NOT_NOW));
  }

  async #send(stanza: Element | null): Promise<void> {
    if (stanza !== null) await this.#means.bus.send(stanza);
  }
}
