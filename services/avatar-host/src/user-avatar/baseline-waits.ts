/** Callers of `subscribe` who wait for the source's first word. In memory alone: who asks again is answered from the rows. */
import type { SubscriptionView } from "@tidings/protocol";

/** How long `subscribe` waits for the source (milliseconds). */
const LONGEST_MS = 9_000;

type Answer = (subscription: SubscriptionView) => void;

export class BaselineWaits {
  readonly #waiting = new Map<string, Set<Answer>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Calls `answer` once: with what `source` says of itself, or with `asItIs` when that takes too long. */
  wait(source: string, asItIs: SubscriptionView, answer: Answer): void {
    const waiting = this.#waiting.get(source) ?? new Set();
    const once = (subscription: SubscriptionView) => {
      clearTimeout(timer);
      waiting.delete(once);
      if (waiting.size === 0) this.#waiting.delete(source);
      answer(subscription);
    };
    const timer = setTimeout(() => once(asItIs), LONGEST_MS);
    this.#waiting.set(source, waiting.add(once));
  }

  /** The callers who wait for `source`, to be answered by who takes them. */
  takeFor(source: string): ReadonlySet<Answer> {
    const waiting = this.#waiting.get(source) ?? new Set<Answer>();
    this.#waiting.delete(source);
    return waiting;
  }
}
