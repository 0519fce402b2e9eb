/** Long enough for a server elsewhere; a server that knows no available resource often says nothing at all. */
const ANSWER_MS = 3_000;
const LOOK_EVERY_MS = 250;
const MAX_WAITING = 200_000;

/**
 * Presence probes that wait for an answer. Who does not answer within 3 s is offline: RFC 6121 §4.3.2 lets a server answer
 * a probe for an offline contact with unavailable or with nothing.
 */
export class Probes {
  readonly #waiting = new Map<string, { user: string; address: string; untilAt: number }>();
  readonly #onSilence: (user: string, address: string) => void;
  readonly #timer: NodeJS.Timeout;

  constructor(onSilence: (user: string, address: string) => void) {
    this.#onSilence = onSilence;
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS);
  }

  /** A probe goes out. Past 200,000 that wait, silence is no longer noticed. */
  began(user: string, address: string): void {
    const key = `${user} ${address}`;
    this.#waiting.delete(key);
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(key, { user, address, untilAt: performance.now() + ANSWER_MS });
  }

  /** Presence came from `address`. */
  ended(user: string, address: string): void {
    this.#waiting.delete(`${user} ${address}`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The map is in the order of the times, so the first that may still answer ends the look. */
  #look(nowAt: number): void {
    for (const [key, { user, address, untilAt }] of this.#waiting) {
      if (untilAt > nowAt) return;
      this.#waiting.delete(key);
      this.#onSilence(user, address);
    }
  }
}
