/** Carries out dispatches and says what became of them; the rules are in allowance.ts, carriage.ts and the ledger. */
import { setTimeout as sleep } from "node:timers/promises";
import { DeliveryMemory, type Refusal, type ReportedState, type Reporter } from "@tidings/agent";
import type { DeliveryReport, Dispatch } from "@tidings/protocol";
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

/** Messages on their way to the provider; what is above it comes again later. */
const MAX_UNDER_WAY = 1_000;
/** Reports of the last life that may not have reached their shards are said again (milliseconds). */
const SAY_AGAIN_MS = 3_600_000;

export interface DeliveryMeans {
  readonly provider: Provider;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly limits: Limits;
  readonly countries: ReadonlySet<string>;
  /** Address at which the provider reaches the callbacks, without a slash at its end; null: it does not. */
  readonly callbackUrl: string | null;
  readonly log: Log;
  /** Waits; rejects when `signal` is aborted. Tests pass one that does not wait. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Deliveries {
  readonly #means: DeliveryMeans;
  readonly #memory: DeliveryMemory;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(means: DeliveryMeans) {
    this.#means = means;
    this.#memory = new DeliveryMemory(means.ledger);
    this.#wait = means.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
  }

  /** A new life begins: says again what the last one may not have brought to the shards. */
  sayAgain(nowAt: number): void {
    for (const report of this.#means.ledger.reportsSince(nowAt - SAY_AGAIN_MS))
      this.#means.reporter.report(report);
  }

  /** Sends what has not been sent yet; for the rest, says again what is known of it. Nothing leaves before it is on disk. */
  carryOut(dispatches: readonly Dispatch[]): void {
    if (this.#stopping.signal.aborted) return;
    const effects = this.#means.ledger.inOneCommit(() => dispatches.map((dispatch) => this.#take(dispatch)));
    for (const effect of effects) effect();
  }

  /** The provider says how far a message has come. News of an earlier attempt count only when the phone has it. */
  statusChanged({ delivery, attempt, sid, status, code }: StatusNews): void {
    const entry = this.#means.ledger.byId(delivery);
    const state = stateOf(status);
    if (entry === undefined || state === null) return;
    const isEarlier = attempt !== entry.attempt;
    if (isEarlier && state !== "received") return;
    if (!isEarlier && entry.sid === null) this.#means.ledger.named(entry.key, sid);
    this.#advance(entry.key, state, state === "refused" ? this.#refusalOf(code, entry.address) : undefined);
  }

  /** Sends nothing more, and resolves when what was sent has been answered; what has not is looked for in the next life. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay.values());
  }

  /** Notes the dispatch, and returns what is to be done when that is on disk. */
  #take(dispatch: Dispatch): () => void {
    const begun = this.#memory.begin(dispatch, Date.now());
    if (typeof begun === "string") return this.#takeAnew(dispatch, begun);
    const { report } = begun;
    return report === null
      ? () => this.#lookFor(dispatch, begun as Entry)
      : () => this.#means.reporter.report(report);
  }

  #takeAnew(dispatch: Dispatch, key: string): () => void {
    const { ledger, countries } = this.#means;
    const phone = readNumber(dispatch.address, countries);
    if ("condition" in phone) return this.#refuse(key, phone);
    const text = this.#textOf(dispatch, ledger.entry(key) as Entry);
    const segments = segmentsOf(text.body).count;
    const refusal = this.#underWay.size >= MAX_UNDER_WAY ? BUSY : this.mayNotSend(phone, segments);
    if (refusal !== null) return this.#refuse(key, refusal);
    ledger.spend(phone, segments, Date.now());
    return () => this.#begin(key, text, FIRST_STEP);
  }

  #refuse(key: string, refusal: Refusal): () => void {
    const report = this.#memory.advance(key, "refused", Date.now(), refusal);
    return () => this.#say(report);
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

  /** A life before this one began it and died before it knew more: it may have been sent. */
  #lookFor(dispatch: Dispatch, entry: Entry): void {
    if (this.#underWay.has(entry.key)) return;
    this.#begin(entry.key, this.#textOf(dispatch, entry), FIRST_LOOK);
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

  #begin(key: string, text: OutgoingText, first: Step): void {
    this.#underWay.set(
      key,
      this.#carry(key, text, first).finally(() => this.#underWay.delete(key)),
    );
  }

  /** Resolves in any case, when the message is handed or refused or the agent stops. */
  async #carry(key: string, text: OutgoingText, first: Step): Promise<void> {
    const { ledger, log } = this.#means;
    const begunAt = ledger.entry(key)?.begunAt ?? Date.now();
    let step = first;
    try {
      while (step.does !== "hand" && step.does !== "refuse") {
        await this.#wait(step.afterMs, this.#stopping.signal);
        if (this.#isSettled(key)) return;
        const finding = step.does === "send" ? await this.#send(text) : await this.#look(text, begunAt);
        step = nextStep(step.stage, finding, Math.random());
      }
      if (step.does === "refuse") this.#advance(key, "refused", step.refusal);
      else this.#handOver(key, step.sid);
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.error({ err: error }, "a message was not carried out");
      // What certainly was not sent need not be looked for in the next life.
      else if (step.does === "send") this.#advance(key, "refused", STOPPING);
    }
  }

  #handOver(key: string, sid: string): void {
    this.#means.ledger.named(key, sid);
    this.#advance(key, "handed");
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

  #advance(key: string, state: ReportedState, refusal?: Refusal): void {
    this.#say(this.#memory.advance(key, state, Date.now(), refusal));
  }

  #say(report: DeliveryReport | null): void {
    if (report === null) return;
    const { notification, user, state, condition } = report;
    this.#means.log.debug({ notification, user, state, condition }, "delivery reported");
    this.#means.reporter.report(report);
  }
}

const BUSY: Refusal = {
  condition: "resource-constraint",
  mayRetry: true,
  text: "So many messages are on their way that this one has to wait.",
};

const STOPPING: Refusal = {
  condition: "recipient-unavailable",
  mayRetry: true,
  text: "The agent for text messages was stopped before it could send this one.",
};
