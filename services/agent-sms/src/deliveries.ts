/** Carries out dispatches and says what became of them; the rules are in allowance.ts, carriage.ts and the ledger. */
import { Courier, type Ending, type Errand, type Refusal, type Reporter, type Wait } from "@tidings/agent";
import type { Dispatch } from "@tidings/protocol";
import { crashPoint, type Log } from "@tidings/runtime";
import { allowance, type Limits } from "./allowance.ts";
import { FIRST_LOOK, FIRST_STEP, type Finding, nextStep, type Step } from "./carriage.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { messageText } from "./message-text.ts";
import { type PhoneNumber, readNumber } from "./phone-number.ts";
import type { OutgoingText, Provider } from "./provider.ts";
import { refusalFor } from "./provider-refusals.ts";
import { segmentsOf } from "./segments.ts";
import { type StatusNews, stateOf } from "./status-news.ts";

export interface DeliveryMeans {
  readonly provider: Provider;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly limits: Limits;
  readonly countries: ReadonlySet<string>;
  /** Address at which the provider reaches the callbacks, without a slash at its end; null: it does not. */
  readonly callbackUrl: string | null;
  readonly log: Log;
  /** See {@link Courier}. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Deliveries {
  readonly #means: DeliveryMeans;
  readonly #courier: Courier;

  constructor(means: DeliveryMeans) {
    this.#means = means;
    this.#courier = new Courier(means, {
      take: (dispatch, key) => this.#take(dispatch, key),
      resume: (dispatch, key) => this.#errand(dispatch, this.#entry(key), FIRST_LOOK),
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

  /** The provider says how far a message has come. News of an earlier attempt count only when the phone has it. */
  statusChanged({ delivery, attempt, sid, status, code }: StatusNews): void {
    const entry = this.#means.ledger.byId(delivery);
    const state = stateOf(status);
    if (entry === undefined || state === null) return;
    const isEarlier = attempt !== entry.attempt;
    if (isEarlier && state !== "received") return;
    if (!isEarlier && entry.sid === null) this.#means.ledger.named(entry.key, sid);
    this.#courier.advance(
      entry.key,
      state,
      state === "refused" ? this.#refusalOf(code, entry.address) : undefined,
    );
  }

  /** Sends nothing more, and resolves when what was sent has been answered; what has not is looked for in the next life. */
  stop(): Promise<void> {
    return this.#courier.stop();
  }

  /** Why a message of `segments` may not go to `phone` now; null when it may. */
  mayNotSend(phone: PhoneNumber, segments: number): Refusal | null {
    const { ledger, limits, log } = this.#means;
    const nowAt = Date.now();
    const { refusal, breaksUntilAt } = allowance(segments, ledger.usage(phone, nowAt), limits, nowAt);
    if (breaksUntilAt !== null) {
      ledger.openBreaker(breaksUntilAt);
      log.error(
        { untilAt: breaksUntilAt, limit: limits.segmentsPerHour },
        "too many messages: all sending has stopped",
      );
    }
    return refusal;
  }

  #take(dispatch: Dispatch, key: string): Errand | Refusal {
    const { ledger, countries } = this.#means;
    const phone = readNumber(dispatch.address, countries);
    if ("condition" in phone) return phone;
    const entry = this.#entry(key);
    const segments = segmentsOf(this.#textOf(dispatch, entry).body).count;
    const refusal = this.mayNotSend(phone, segments);
    if (refusal !== null) return refusal;
    ledger.spend(phone, segments, Date.now());
    return this.#errand(dispatch, entry, FIRST_STEP);
  }

  #entry(key: string): Entry {
    return this.#means.ledger.entry(key) as Entry;
  }

  #textOf(dispatch: Dispatch, { id, reference, attempt }: Entry): OutgoingText {
    const { callbackUrl } = this.#means;
    return {
      to: dispatch.address,
      body: messageText(dispatch, reference),
      statusCallback:
        callbackUrl === null ? null : `${callbackUrl}/sms/status?delivery=${id}&attempt=${attempt}`,
    };
  }

  #errand(dispatch: Dispatch, entry: Entry, first: Step): Errand {
    return (wait) => this.#carry(entry, this.#textOf(dispatch, entry), first, wait);
  }

  async #carry(
    { key, begunAt }: Entry,
    text: OutgoingText,
    first: Step,
    wait: Wait,
  ): Promise<Ending | "open"> {
    let step = first;
    while (step.does !== "hand" && step.does !== "refuse") {
      try {
        await wait(step.afterMs);
      } catch {
        // What certainly was not sent need not be looked for in the next life.
        return step.does === "send" ? STOPPING : "open";
      }
      if (this.#isSettled(key)) return "open";
      const finding = step.does === "send" ? await this.#send(text) : await this.#look(text, begunAt);
      step = nextStep(step.stage, finding, Math.random());
    }
    if (step.does === "refuse") return step.refusal;
    this.#means.ledger.named(key, step.sid);
    return null;
  }

  async #send(text: OutgoingText): Promise<Finding> {
    const { provider, log } = this.#means;
    crashPoint("agent.message.before");
    const outcome = await provider.send(text);
    crashPoint("agent.message.after");
    if (outcome.kind === "unknown" || outcome.kind === "notTaken")
      log.warn({ err: outcome.error, outcome: outcome.kind }, "the provider did not take a message");
    if (outcome.kind === "refused") this.#noteRefusal(outcome, text.to);
    return outcome;
  }

  async #look(text: OutgoingText, begunAt: number): Promise<Finding> {
    try {
      const sid = await this.#means.provider.find(text, begunAt);
      return sid === null ? { kind: "notFound" } : { kind: "found", sid };
    } catch (error) {
      this.#means.log.warn({ err: error }, "the provider did not say what it has sent");
      return { kind: "notFound" };
    }
  }

  #refusalOf(code: number, number: string): Refusal {
    const refused = refusalFor(code);
    this.#noteRefusal(refused, number);
    return refused.refusal;
  }

  #noteRefusal({ isStopped, isOurFault, refusal }: ReturnType<typeof refusalFor>, number: string): void {
    if (isStopped) this.#means.ledger.setStopped(number, true, Date.now());
    if (isOurFault) this.#means.log.error({ reason: refusal.text }, "the provider refuses this installation");
  }

  /** A status callback may come before the answer, or in its place. */
  #isSettled(key: string): boolean {
    return (this.#means.ledger.entry(key)?.report ?? null) !== null;
  }
}

const STOPPING: Refusal = {
  condition: "recipient-unavailable",
  mayRetry: true,
  text: "The agent for text messages was stopped before it could send this one.",
};
