/** Carries messages out to a server that may be away; the rules are in tries.ts, the Courier and the ledger. */
import type { Dispatch } from "@tidings/protocol";
import { crashPoint, Turnstile } from "@tidings/runtime";
import { Courier, type CourierMeans, type Ending, type Errand, type Wait } from "./courier.ts";
import type { LedgerEntry } from "./delivery-ledger.ts";
import type { Refusal } from "./delivery-memory.ts";
import { FIRST_STEP, nextStep, type SendOutcome, type Step } from "./tries.ts";

/** Sends one message once. Never rejects. */
export type Send = () => Promise<SendOutcome>;

/** What differs from agent to agent. */
export interface CarrierTrade {
  /** How the message is sent, or why it is not. */
  prepare(dispatch: Dispatch, entry: LedgerEntry): Send | Refusal;
  /** What is said of a message that was not taken for long: the avatar may order it again. */
  readonly away: Refusal;
  /** Messages that are sent at a time. */
  readonly atATime: number;
}

export class PatientCarrier {
  readonly #means: CourierMeans;
  readonly #trade: CarrierTrade;
  readonly #courier: Courier;
  readonly #sessions: Turnstile;

  constructor(means: CourierMeans, trade: CarrierTrade) {
    this.#means = means;
    this.#trade = trade;
    this.#sessions = new Turnstile(trade.atATime);
    this.#courier = new Courier(means, {
      take: (dispatch, key) => this.#errand(dispatch, key),
      // The life before this one may have sent it: it goes out again, and is known by its id.
      resume: (dispatch, key) => {
        const errand = this.#errand(dispatch, key);
        return typeof errand === "function" ? errand : async () => errand;
      },
    });
  }

  /** See {@link Courier.sayAgain}. */
  sayAgain(nowAt: number): void {
    this.#courier.sayAgain(nowAt);
  }

  /** See {@link Courier.carryOut}. */
  carryOut(dispatches: readonly Dispatch[]): void {
    this.#courier.carryOut(dispatches);
  }

  /** What was handed has come back. What is said of an earlier attempt than the present one counts for nothing. */
  cameBack({ key, attempt: present }: LedgerEntry, attempt: number, refusal: Refusal): void {
    if (attempt === present) this.#courier.advance(key, "refused", refusal);
  }

  /** Sends nothing more, and resolves when what is being sent has been answered; the rest is sent by the next life. */
  stop(): Promise<void> {
    return this.#courier.stop();
  }

  #errand(dispatch: Dispatch, key: string): Errand | Refusal {
    const entry = this.#means.ledger.entry(key) as LedgerEntry;
    const send = this.#trade.prepare(dispatch, entry);
    return typeof send === "function" ? (wait) => this.#carry(entry, send, wait) : send;
  }

  async #carry({ key, attempt }: LedgerEntry, send: Send, wait: Wait): Promise<Ending | "open"> {
    let step: Step = FIRST_STEP;
    while (step.does === "send") {
      await wait(step.afterMs);
      // A higher attempt has been ordered meanwhile, and says itself what becomes of it.
      if (this.#means.ledger.entry(key)?.attempt !== attempt) return "open";
      const outcome = await this.#sessions.pass(async () => {
        // The agent may have stopped while this was in line.
        await wait(0);
        return this.#send(send);
      });
      step = nextStep(step.tries, outcome, this.#trade.away, Math.random());
    }
    return step.does === "hand" ? null : step.refusal;
  }

  async #send(send: Send): Promise<SendOutcome> {
    crashPoint("agent.message.before");
    const outcome = await send();
    crashPoint("agent.message.after");
    if (outcome.kind === "notTaken") this.#means.log.warn({ err: outcome.error }, "a message was not taken");
    return outcome;
  }
}
