/** Carries out dispatches and says what became of them; the rules are in carriage.ts, the Courier and the ledger. */
import {
  Courier,
  type DeliveryLedger,
  type Ending,
  type Errand,
  type LedgerEntry,
  type Refusal,
  type Reporter,
  Turnstile,
  type Wait,
} from "@tidings/agent";
import type { Dispatch } from "@tidings/protocol";
import { crashPoint, type Log } from "@tidings/runtime";
import { FIRST_STEP, nextStep, type Step } from "./carriage.ts";
import { type Mail, mailOf, type Sender } from "./mail.ts";
import { mailAddress } from "./mail-address.ts";
import { isOurFault } from "./mail-refusals.ts";
import { MAX_SESSIONS, type MailRelay, type SendOutcome } from "./relay.ts";

/** Mail systems try for five days before they say that they could not deliver (RFC 5321 §4.5.4.1). */
const KEPT_MS = 7 * 24 * 3_600_000;

export interface DeliveryMeans {
  readonly relay: MailRelay;
  readonly sender: Sender;
  readonly ledger: DeliveryLedger;
  readonly reporter: Reporter;
  readonly log: Log;
  /** See {@link Courier}. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

export class Deliveries {
  readonly #means: DeliveryMeans;
  readonly #courier: Courier;
  readonly #sessions = new Turnstile(MAX_SESSIONS);

  constructor(means: DeliveryMeans) {
    this.#means = means;
    this.#courier = new Courier(
      { ...means, keptMs: KEPT_MS },
      {
        take: (dispatch, key) => this.#take(dispatch, key),
        // The life before this one may have sent it: it goes out again, and is known by its Message-ID.
        resume: (dispatch, key) => this.#errand(dispatch, mailAddress(dispatch.address) ?? "", key),
      },
    );
  }

  /** See {@link Courier.sayAgain}. */
  sayAgain(nowAt: number): void {
    this.#courier.sayAgain(nowAt);
  }

  /** See {@link Courier.carryOut}. */
  carryOut(dispatches: readonly Dispatch[]): void {
    this.#courier.carryOut(dispatches);
  }

  /** A mail system gave attempt `attempt` of `entry` back. What is said of an earlier attempt counts for nothing. */
  cameBack(entry: LedgerEntry, attempt: number, refusal: Refusal): void {
    if (attempt === entry.attempt) this.#courier.advance(entry.key, "refused", refusal);
  }

  /** Sends nothing more, and resolves when what is being sent has been answered; the rest is sent by the next life. */
  stop(): Promise<void> {
    return this.#courier.stop();
  }

  #take(dispatch: Dispatch, key: string): Errand | Refusal {
    const address = mailAddress(dispatch.address);
    return address === null ? NO_ADDRESS : this.#errand(dispatch, address, key);
  }

  #errand(dispatch: Dispatch, address: string, key: string): Errand {
    const entry = this.#means.ledger.entry(key) as LedgerEntry;
    return (wait) => this.#carry(entry, () => mailOf(dispatch, address, entry, this.#means.sender), wait);
  }

  async #carry({ key, attempt }: LedgerEntry, mail: () => Mail, wait: Wait): Promise<Ending | "open"> {
    let step: Step = FIRST_STEP;
    while (step.does === "send") {
      await wait(step.afterMs);
      // A higher attempt has been ordered meanwhile, and says itself what becomes of it.
      if (this.#means.ledger.entry(key)?.attempt !== attempt) return "open";
      const outcome = await this.#sessions.pass(async () => {
        // The agent may have stopped while this was in line.
        await wait(0);
        return this.#send(mail());
      });
      step = nextStep(step.tries, outcome, Math.random());
    }
    return step.does === "hand" ? null : step.refusal;
  }

  async #send(mail: Mail): Promise<SendOutcome> {
    const { relay, log } = this.#means;
    crashPoint("agent.message.before");
    const outcome = await relay.send(mail);
    crashPoint("agent.message.after");
    if (outcome.kind === "notTaken") log.warn({ err: outcome.error }, "the relay did not take a message");
    if (outcome.kind === "refused" && isOurFault(outcome.refusal))
      log.error({ reason: outcome.refusal.text }, "the relay refuses this installation");
    return outcome;
  }
}

const NO_ADDRESS: Refusal = {
  condition: "jid-malformed",
  mayRetry: false,
  text: "This is not an e-mail address; one looks like alice@example.org.",
};
