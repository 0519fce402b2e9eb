/**
 * Whether the server of a domain has been started again, by what it says of how long it runs (XEP-0012, "Server Query").
 *
 * What such a server had taken and not yet brought to a client is gone, and nobody says that its clients have left. It says
 * whole seconds, so its start is known to a second and the time that the answer took. Pure: times are milliseconds of one
 * monotonic clock.
 */
import { BoundedMap } from "@tidings/agent";

const MAX_DOMAINS = 10_000;
const KEPT_MS = 24 * 3_600_000;
/** A server that says so more often has a clock or a counter that means something else: it is not believed for a day. */
const MOST_RESTARTS = 5;

interface Life {
  /** When it began, at the latest. */
  readonly sinceMs: number;
  readonly restarts: number;
}

export class ServerLives {
  readonly #lives = new BoundedMap<string, Life>(MAX_DOMAINS);

  /**
   * The server of `domain`, asked at `askedMs`, has answered at `nowMs` that it runs for `seconds`. Returns when its life
   * began, at the latest; null when nothing is new: it is the same life as before, or the server is not believed.
   */
  heard(domain: string, seconds: number, askedMs: number, nowMs: number): number | null {
    const sinceMs = nowMs - seconds * 1_000;
    const known = this.#lives.get(domain, nowMs);
    if (known === undefined) {
      this.#lives.set(domain, { sinceMs, restarts: 0 }, KEPT_MS, nowMs);
      return sinceMs;
    }
    const isSameLife = askedMs - (seconds + 1) * 1_000 <= known.sinceMs;
    const life = isSameLife
      ? { sinceMs: Math.min(known.sinceMs, sinceMs), restarts: known.restarts }
      : { sinceMs, restarts: known.restarts + 1 };
    this.#lives.set(domain, life, KEPT_MS, nowMs);
    return isSameLife || life.restarts > MOST_RESTARTS ? null : sinceMs;
  }
}
