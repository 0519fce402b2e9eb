/**
 * What people answer. The provider tells it with a number alone, so the ledger says which message, and so which user, is
 * meant; the user's avatar says whether the number is the user's own.
 *
 *     a number that nothing was sent to, or that is not linked ─▶ nothing at all: each answer costs, and tells a stranger something
 *     linked ─▶ an answer that is understood is reported as what the user did; STOP and START count here as well
 *               one that is not is answered with a sentence, within the caps
 */
import { deedReport, RateLimit, type Reporter, readReply, type Standings } from "@tidings/agent";
import type { Deed } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Entry, Ledger } from "./ledger.ts";

const HOUR_MS = 3_600_000;

export const HELP =
  "Tidings: reply ack (or 12a for message 12), snooze 1h, more. STOP ends all messages, START lets them come again.";
export const NOT_UNDERSTOOD = "Tidings did not understand that. Reply ack, snooze 1h, more, STOP or HELP.";
export const noSuchMessage = (reference: number) =>
  `Tidings has no message ${reference} for this phone. Reply ack for the last one, or HELP.`;

export interface Heard {
  /** The provider's name for what came; the same when it comes twice. */
  readonly id: string;
  readonly number: string;
  readonly text: string;
  /** The provider has answered STOP, START or HELP itself. */
  readonly isAnswered: boolean;
}

export interface ReplyMeans {
  readonly ledger: Ledger;
  readonly standings: Standings;
  readonly reporter: Reporter;
  /** Whether an answer of our own may be sent to the number; it is then counted. */
  readonly mayAnswer: (number: string, text: string) => boolean;
  readonly log: Log;
}

export class Replies {
  readonly #means: ReplyMeans;
  readonly #pace = new RateLimit(20, HOUR_MS);
  /** Answers of ours; deeds are taken all the same. */
  readonly #answers = new RateLimit(3, HOUR_MS);

  constructor(means: ReplyMeans) {
    this.#means = means;
  }

  /**
   * What to answer to what was heard; null: nothing. When it resolves the deed is in the ledger, and will be reported. Rejects
   * with CallError when the avatar cannot be asked now: nothing has been done, and it may come again.
   */
  async heard({ id, number, text, isAnswered }: Heard, nowAt: number): Promise<string | null> {
    const { ledger, log } = this.#means;
    const reply = readReply(text);
    const reference = reply?.reference ?? null;
    const last = ledger.lastAtPhone(number);
    const entry = reference === null ? last : ledger.atPhone(number, reference);
    const known = entry ?? last;
    if (known === undefined || this.#pace.take(number, nowAt) !== "yes") {
      log.info("a message came from a number that nothing was sent to, or too fast, and was dropped");
      return null;
    }
    if (!(await this.#isLinked(known))) {
      log.info({ user: known.user }, "a message came from a number that is not linked; its user can link it");
      return null;
    }
    if (reply === null) return this.#answer(id, number, NOT_UNDERSTOOD, nowAt);
    if (entry === undefined) return this.#answer(id, number, noSuchMessage(reference ?? 0), nowAt);
    if (!this.#note(id, entry, reply.deed, nowAt)) return null;
    return reply.deed.name === "help" && !isAnswered ? this.#say(number, HELP, nowAt) : null;
  }

  async #isLinked({ user, address }: Entry): Promise<boolean> {
    return (await this.#means.standings.of(user, address)) === "verified";
  }

  /** False when it was noted before. */
  #note(id: string, entry: Entry, deed: Deed, nowAt: number): boolean {
    const { ledger, reporter, log } = this.#means;
    const report = deedReport(id, entry, deed, nowAt);
    if (!ledger.noteDeed(id, report, nowAt)) return false;
    if (deed.name === "stop" || deed.name === "start")
      ledger.setStopped(entry.address, deed.name === "stop", nowAt);
    log.info({ trace: entry.notification, user: entry.user, deed: deed.name }, "a user answered");
    reporter.report(report);
    return true;
  }

  #answer(id: string, number: string, text: string, nowAt: number): string | null {
    return this.#means.ledger.noteDeed(id, null, nowAt) ? this.#say(number, text, nowAt) : null;
  }

  #say(number: string, text: string, nowAt: number): string | null {
    if (this.#answers.take(number, nowAt) !== "yes") return null;
    return this.#means.mayAnswer(number, text) ? text : null;
  }
}
