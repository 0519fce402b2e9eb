/**
 * Carries dispatches out for an agent with a ledger: each once, within a bound, and never before it is on disk.
 *
 *     dispatch ──new──▶ take ──errand──▶ under way ──▶ handed or refused, in the ledger and reported
 *         │               └──refusal──▶ refused
 *         ├──known, reported──▶ its last report again
 *         └──known, nothing reported──▶ resume: a life before this one may have sent it
 *
 * What an errand does, and whether it may do it again, is the agent's own; see {@link Trade}.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { DeliveryReport, Dispatch } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { DeliveryLedger } from "./delivery-ledger.ts";
import { DeliveryMemory, deliveryKey, type Refusal, type ReportedState } from "./delivery-memory.ts";
import type { Reporter } from "./reporter.ts";

/** Messages on their way out; what is above it comes again later. */
const MAX_UNDER_WAY = 1_000;
/** Reports of the last life that may not have reached their shards are said again (milliseconds). */
const SAY_AGAIN_MS = 3_600_000;

/** How a message ended: null is handed. */
export type Ending = Refusal | null;

/** Waits so many milliseconds; rejects when the agent stops. */
export type Wait = (ms: number) => Promise<void>;

/**
 * Brings one message out. Resolves with how it ended, or `open` when nobody knows (or something else has reported it).
 * When it rejects because a wait did, the message is left open too: the next life resumes it.
 */
export type Errand = (wait: Wait) => Promise<Ending | "open">;

/** What differs from agent to agent. */
export interface Trade {
  /** How the new message `key` is brought out, or why it is not. Called in the commit that notes it. */
  take(dispatch: Dispatch, key: string): Errand | Refusal;
  /** How a message is seen to of which a life before this one has not said what became of it. */
  resume(dispatch: Dispatch, key: string): Errand;
}

export interface CourierMeans {
  readonly ledger: DeliveryLedger;
  readonly reporter: Reporter;
  readonly log: Log;
  /** For how long no attempt is carried out again (milliseconds); default 24 hours. */
  readonly keptMs?: number;
  /** Waits; rejects when `signal` is aborted. Tests pass one that does not wait. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

export class Courier {
  readonly #means: CourierMeans;
  readonly #trade: Trade;
  readonly #memory: DeliveryMemory;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #wait: Wait;

  constructor(means: CourierMeans, trade: Trade) {
    this.#means = means;
    this.#trade = trade;
    this.#memory = new DeliveryMemory(means.ledger, means.keptMs);
    const wait = means.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
    this.#wait = (ms) => wait(ms, this.#stopping.signal);
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

  /** Notes and reports that the message `key` has come to `state`, unless it was further already. */
  advance(key: string, state: ReportedState, refusal?: Refusal): void {
    this.#say(this.#memory.advance(key, state, Date.now(), refusal));
  }

  /** Begins nothing more, and resolves when what was begun has ended or was left open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay.values());
  }

  /** Notes the dispatch, and returns what is to be done when that is on disk. */
  #take(dispatch: Dispatch): () => void {
    const begun = this.#memory.begin(dispatch, Date.now());
    if (typeof begun === "string") return this.#takeAnew(dispatch, begun);
    const { report } = begun;
    if (report !== null) return () => this.#means.reporter.report(report);
    return () => this.#resume(dispatch, deliveryKey(begun.user, begun.notification, begun.address));
  }

  #takeAnew(dispatch: Dispatch, key: string): () => void {
    const taken = this.#underWay.size >= MAX_UNDER_WAY ? BUSY : this.#trade.take(dispatch, key);
    if (typeof taken === "function") return () => this.#begin(key, taken);
    const report = this.#memory.advance(key, "refused", Date.now(), taken);
    return () => this.#say(report);
  }

  #resume(dispatch: Dispatch, key: string): void {
    if (!this.#underWay.has(key)) this.#begin(key, this.#trade.resume(dispatch, key));
  }

  #begin(key: string, errand: Errand): void {
    const run = this.#run(key, errand).finally(() => {
      // A higher attempt may have taken its place.
      if (this.#underWay.get(key) === run) this.#underWay.delete(key);
    });
    this.#underWay.set(key, run);
  }

  /** Resolves in any case. */
  async #run(key: string, errand: Errand): Promise<void> {
    try {
      const ending = await errand(this.#wait);
      if (ending === null) this.advance(key, "handed");
      else if (ending !== "open") this.advance(key, "refused", ending);
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.#means.log.error({ err: error }, "a message was not carried out");
    }
  }

  #say(report: DeliveryReport | null): void {
    if (report === null) return;
    const { notification, user, state, condition } = report;
    this.#means.log.debug({ trace: notification, user, state, condition }, "delivery reported");
    this.#means.reporter.report(report);
  }
}

const BUSY: Refusal = {
  condition: "resource-constraint",
  mayRetry: true,
  text: "So many messages are on their way that this one has to wait.",
};
