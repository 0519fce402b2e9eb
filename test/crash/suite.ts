/** Plays scenarios one after the other on one stage, and keeps what became of them. */
import { setTimeout as pause } from "node:timers/promises";
import type { Violation } from "./invariants.ts";
import type { Random } from "./random.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import type { Stage } from "./stage.ts";

/** A play that takes longer has failed (milliseconds). */
const PLAY_WITHIN_MS = 600_000;
const LONG_PLAY_WITHIN_MS = 3_600_000;

interface Failure {
  readonly scenario: string;
  readonly seed: number;
}

export class Suite {
  readonly #stage: Stage;
  readonly #say: (line: string) => void;
  readonly #isLong: boolean;
  readonly #brokenOff: AbortSignal;
  readonly #failures: Failure[] = [];
  #played = 0;

  /** `isLong`: scenarios that can be played at more than the usual length are. `brokenOff`: a play is to end at once, as failed. */
  constructor(
    stage: Stage,
    say: (line: string) => void,
    options: { readonly isLong?: boolean; readonly brokenOff?: AbortSignal } = {},
  ) {
    this.#stage = stage;
    this.#say = say;
    this.#isLong = options.isLong ?? false;
    this.#brokenOff = options.brokenOff ?? new AbortController().signal;
  }

  /** Plays `scenario` with a seed, and says how it went; whatever happens, the stage is cleared afterwards. */
  async play(scenario: Scenario, random: Random): Promise<boolean> {
    const { seed } = random;
    const startedAtMs = performance.now();
    this.#say(`${scenario.name} --seed ${seed}: ${scenario.sentence}`);
    this.#stage.beginsPlay();
    const violations = [
      ...(await this.#attempt(() => this.#perform(scenario, random))),
      ...(await this.#clear()),
    ];
    this.#played++;
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
    for (const { invariant, what } of violations) this.#say(`  ${invariant} ${what}`);
    if (violations.length > 0) this.#failures.push({ scenario: scenario.name, seed });
    this.#say(`  ${violations.length === 0 ? "ok" : "FAILED"} after ${seconds} s`);
    return violations.length === 0;
  }

  /** Says how all plays went; true when it is good. `mustHitAll`: a crash point that was never hit is a failure. */
  summary(mustHitAll: boolean): boolean {
    const hits = [...this.#stage.orders.hits()];
    const missed = hits.filter(([, count]) => count === 0).map(([point]) => point);
    this.#say(`crash points hit: ${hits.map(([point, count]) => `${point} ${count}`).join(", ")}`);
    if (mustHitAll && missed.length > 0) this.#say(`never hit: ${missed.join(", ")}`);
    for (const { scenario, seed } of this.#failures)
      this.#say(`failed: npm run test:crash -- --only ${scenario} --seed ${seed}`);
    this.#say(`${this.#played} played, ${this.#failures.length} failed`);
    return this.#failures.length === 0 && !(mustHitAll && missed.length > 0);
  }

  #perform(scenario: Scenario, random: Random): Promise<Violation[]> {
    if (this.#isLong && scenario.playLong !== undefined) return scenario.playLong(this.#stage, random);
    return scenario.play(this.#stage, random);
  }

  /** A stage after a play that was broken off is closed, not cleared. */
  async #clear(): Promise<Violation[]> {
    if (this.#brokenOff.aborted) return [];
    return this.#attempt(async () => {
      await this.#stage.recovers();
      await this.#stage.clears();
      return [];
    });
  }

  /** What rejects, or does not end, is told like a violation of I1: what was promised did not come. */
  async #attempt(work: () => Promise<Violation[]>): Promise<Violation[]> {
    const withinMs = this.#isLong ? LONG_PLAY_WITHIN_MS : PLAY_WITHIN_MS;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#brokenOff]);
    const late = pause(withinMs, undefined, { signal }).then(() => {
      throw new Error(`it did not end within ${withinMs / 1_000} s`);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      return [
        {
          invariant: "I1",
          what: `the play broke off: ${error instanceof Error ? error.stack : String(error)}`,
        },
      ];
    } finally {
      over.abort();
      late.catch(() => null);
    }
  }
}
