/**
 * What comes back by mail: bounces to `bounce+<token>@`, replies to `reply+<token>@`, and the unsubscribing of RFC 8058. The
 * token, which only who had the message knows, says which delivery is meant; a From can be written by anybody.
 */
import {
  type DeliveryLedger,
  deedReport,
  type LedgerEntry,
  RateLimit,
  type Refusal,
  type Reporter,
  readReply,
  type Standings,
} from "@tidings/agent";
import type { Deed } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { bounceIn } from "./bounce.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import { replyLine } from "./reply-line.ts";
import type { Tokens } from "./tokens.ts";

const HOUR_MS = 3_600_000;
const MOST_REPLIES = 20;

export interface AnswerMeans {
  readonly ledger: DeliveryLedger;
  readonly tokens: Tokens;
  readonly reporter: Reporter;
  readonly standings: Standings;
  readonly cameBack: (entry: LedgerEntry, attempt: number, refusal: Refusal) => void;
  readonly log: Log;
}

export class Answers {
  readonly #means: AnswerMeans;
  readonly #pace = new RateLimit(MOST_REPLIES, HOUR_MS);

  constructor(means: AnswerMeans) {
    this.#means = means;
  }

  /**
   * Takes the mail that came to `recipient` (the envelope's, not the header's). When it resolves, what it says is in the
   * ledger and will be reported; mail that says nothing to us is dropped with a line in the log, and never answered, so that
   * two machines cannot write to each other for ever. Rejects with CallError when the avatar cannot be asked now: nothing has
   * been done, and the mail may come again.
   */
  async heard(mail: Buffer, recipient: string, nowAt: number): Promise<void> {
    const { tokens, ledger, log } = this.#means;
    const to = tokens.addressed(recipient);
    const found = to === null ? null : tokens.message(to.purpose, to.token, (id) => ledger.byId(id));
    if (to === null || found === null) {
      log.debug("mail came with a token that is not ours, and was dropped");
      return;
    }
    const incoming = await this.#read(mail);
    if (incoming === null) return;
    if (to.purpose === "bounce") this.#bounced(found.entry, found.attempt, incoming);
    else await this.#replied(found.entry, incoming, nowAt);
  }

  /** Takes a one-click unsubscription (RFC 8058 §3.2). False when the token is not ours. */
  unsubscribed(token: string, nowAt: number): boolean {
    const { tokens, ledger } = this.#means;
    const found = tokens.message("unsubscribe", token, (id) => ledger.byId(id));
    if (found === null) return false;
    this.#note(`unsubscribe ${token}`, found.entry, { name: "stop" } as Deed, nowAt);
    return true;
  }

  async #read(mail: Buffer): Promise<Incoming | null> {
    try {
      return await readIncoming(mail);
    } catch (error) {
      this.#means.log.info({ err: error }, "mail came that cannot be read, and was dropped");
      return null;
    }
  }

  #bounced(entry: LedgerEntry, attempt: number, { deliveryStatus }: Incoming): void {
    const { cameBack, log } = this.#means;
    const refusal = bounceIn(deliveryStatus);
    const { notification, user } = entry;
    if (refusal === null) {
      log.debug({ trace: notification, user }, "mail came back that says no failure");
      return;
    }
    log.info({ trace: notification, user, condition: refusal.condition }, "a message came back");
    cameBack(entry, attempt, refusal);
  }

  async #replied(entry: LedgerEntry, incoming: Incoming, nowAt: number): Promise<void> {
    const { standings, log } = this.#means;
    const { notification, user, address } = entry;
    if (incoming.isAutomatic)
      return log.debug({ trace: notification, user }, "an automatic reply was dropped");
    const deed = deedIn(incoming);
    if (deed === null || this.#pace.take(entry.key, nowAt) !== "yes")
      return log.info(
        { notification, user },
        "a reply was not understood, or came too fast, and was dropped",
      );
    if ((await standings.of(user, address)) !== "verified")
      return log.info(
        { notification, user },
        "a reply came from an address that is not linked; its user can link it",
      );
    // One mail can answer several messages.
    this.#note(`${incoming.id}-${entry.id}`, entry, deed, nowAt);
  }

  #note(id: string, entry: LedgerEntry, deed: Deed, nowAt: number): void {
    const { ledger, reporter, log } = this.#means;
    const report = deedReport(id, entry, deed, nowAt);
    if (!ledger.noteDeed(id, report, nowAt)) return;
    log.info({ trace: entry.notification, user: entry.user, deed: deed.name }, "a user answered");
    reporter.report(report);
  }
}

/** What a reply asks for: its first line, or the subject of one that says nothing, as mail programs write to unsubscribe. */
function deedIn({ text, subject }: Incoming): Deed | null {
  const reply = readReply(replyLine(text) || subject);
  return reply === null || reply.reference !== null ? null : reply.deed;
}
